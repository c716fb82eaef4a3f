import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Actor } from '../../../src/actors/actor.ts';
import type { Claimed } from '../../../src/executions/execution.ts';
import type { LauncherEntry } from '../../../src/launcher/launcher-table.ts';
import { HeldExecution } from '../../../src/workers/held-execution.ts';
import type { RunContext } from '../../../src/workers/run-context.ts';

function hold() {
  const lost = new AbortController();
  const cancelled = new AbortController();
  const leaving = new AbortController();
  // A pause asks for nothing but signals.
  const context = {
    log: pino({ level: 'silent' }),
    leaving: leaving.signal,
    clock: { now: () => new Date() },
    settings: { notAfterMs: 1_000 },
  } as unknown as RunContext;
  const claimed = { lease: { executionId: 'e', workerId: 'w' }, execution: {} } as unknown as Claimed;
  const kept = { lost: lost.signal, cancelled: cancelled.signal, [Symbol.dispose]: () => undefined };
  const held = new HeldExecution(context, {} as LauncherEntry, claimed, {} as Actor, kept);
  return { held, lost, cancelled, leaving };
}

/** Whether a pause has ended without the clock going on. */
async function isOver(pause: Promise<void>): Promise<boolean> {
  let over = false;
  void pause.then(() => (over = true));
  await vi.advanceTimersByTimeAsync(0);
  return over;
}

describe('the pause of a held execution before it tries again', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each(['lost', 'cancelled', 'leaving'] as const)('ends at once when it is %s', async (what) => {
    const bench = hold();
    const pause = bench.held.pauseBefore(0);
    expect(await isOver(pause)).toBe(false);
    bench[what].abort();
    expect(await isOver(pause)).toBe(true);
  });

  it('is no shorter for one that is being cancelled already, or it would ask without end', async () => {
    const { held, cancelled } = hold();
    cancelled.abort();
    const pause = held.pauseBefore(0);
    expect(await isOver(pause)).toBe(false);
    await vi.advanceTimersByTimeAsync(250);
    expect(await isOver(pause)).toBe(true);
  });
});
