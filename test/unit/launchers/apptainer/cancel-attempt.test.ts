/** What a cancel does where its host does not answer, and where nobody listens. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cancellation, createCancellation } from '../../../../launchers/apptainer/cancel-attempt.ts';
import type { ProcessEntry, Starter } from '../../../../launchers/apptainer/process-table.ts';
import type { Command } from '../../../../launchers/host/command.ts';
import { silentLog } from '../../../support/silent-log.ts';

const ref = { executionId: 'e1', attempt: 1, owner: 'alice' };
const starter: Starter = { host: 'login', boot: '0e45e1c1-5a5b-4c5d-9c7e-0123456789ab', pid: 100, start: 5_000 };
const graceMs = 1_000;
const killAfterMs = graceMs + 5_000;

/** An attempt that has started; what stands there of it hears nothing but KILL. */
function playHost() {
  const host = { isAway: false, name: 'login', boot: starter.boot, hasEnded: false, told: [] as string[] };
  const there = new Map<number, ProcessEntry>([[100, { ...starter, name: 'abaco-start', parent: 1, session: 100 }]]);
  const desk = {
    host: {
      async run({ argv }: Command<void>) {
        if (host.isAway) throw new Error('the connection was closed');
        const [name, ...pids] = argv.slice(3);
        host.told.push(`${name} ${pids.join(' ')}`);
        if (name === 'KILL') there.clear();
      },
    },
    ledger: {
      close: async () => 'started',
      noteCancel: async () => undefined,
      readEnd: async () => (host.hasEnded ? { exitCode: 0 } : undefined),
    },
    processes: {
      async now() {
        const isThere = host.name === 'login' && host.boot === starter.boot;
        return { host: host.name, boot: host.boot, processes: isThere ? there : new Map() };
      },
    },
    startersOf: async () => [starter],
  } as unknown as Parameters<Cancellation['cancel']>[0];
  const begin = (): Cancellation => createCancellation({ log: silentLog, signal: new AbortController().signal });
  return { host, desk, begin };
}

describe('a cancel of what has started', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('kills what has not ended after its grace time, once however often it is repeated', async () => {
    const { host, desk, begin } = playHost();
    const cancellation = begin();
    await cancellation.cancel(desk, ref, graceMs);
    await cancellation.cancel(desk, ref, graceMs);
    await vi.advanceTimersByTimeAsync(killAfterMs - 1);
    expect(host.told).toEqual(['TERM 100', 'TERM 100']);
    await vi.advanceTimersByTimeAsync(killAfterMs);
    expect(host.told).toEqual(['TERM 100', 'TERM 100', 'KILL 100']);
  });

  it('is not lost where its host did not answer the first time', async () => {
    const { host, desk, begin } = playHost();
    const cancellation = begin();
    host.isAway = true;
    await expect(cancellation.cancel(desk, ref, graceMs)).rejects.toThrow('the connection was closed');
    host.isAway = false;
    await cancellation.cancel(desk, ref, graceMs);
    await vi.advanceTimersByTimeAsync(killAfterMs);
    expect(host.told).toEqual(['TERM 100', 'KILL 100']);
  });

  it('is not lost with the service that told it to end', async () => {
    const { host, desk, begin } = playHost();
    const before = new AbortController();
    await createCancellation({ log: silentLog, signal: before.signal }).cancel(desk, ref, graceMs);
    before.abort();
    await begin().cancel(desk, ref, graceMs);
    await vi.advanceTimersByTimeAsync(killAfterMs);
    expect(host.told).toEqual(['TERM 100', 'TERM 100', 'KILL 100']);
  });

  it.each([
    ['another host of its address answers', { name: 'login2' }],
    ['nobody can say whether its host was started anew', { boot: '' }],
  ])('is not lost where %s', async (_, answers) => {
    const { host, desk, begin } = playHost();
    const cancellation = begin();
    Object.assign(host, answers);
    await expect(cancellation.cancel(desk, ref, graceMs)).rejects.toMatchObject({
      code: 'launcher.unavailable',
      message: expect.stringMatching(/^Execution "e1" is not told to end: it was started on host "login", and /),
    });
    Object.assign(host, { name: 'login', boot: starter.boot });
    await cancellation.cancel(desk, ref, graceMs);
    expect(host.told).toEqual(['TERM 100']);
  });

  it.each([
    ['has ended', { name: 'login2', hasEnded: true }],
    ['went with its host, which was started anew', { boot: '1e45e1c1-5a5b-4c5d-9c7e-0123456789ab' }],
  ])('has nobody to tell where it %s', async (_, answers) => {
    const { host, desk, begin } = playHost();
    Object.assign(host, answers);
    expect(await begin().cancel(desk, ref, graceMs)).toBe('stopping');
    expect(host.told).toEqual([]);
  });
});
