import { setImmediate } from 'node:timers/promises';
import pino from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { LauncherEntry } from '../../../src/launcher/launcher-table.ts';
import { createLauncherGate } from '../../../src/workers/launcher-gate.ts';
import { until } from '../../support/until.ts';

function gateOn(health: () => Promise<{ readonly ok: boolean; readonly detail: string }>) {
  const leaving = new AbortController();
  const changes: string[] = [];
  let probes = 0;
  const probe = async () => {
    probes += 1;
    return { ...(await health()), checks: [] };
  };
  // Of a launcher the gate only asks how it is.
  const entry = { name: 'local', place: 'local@here', launcher: { probe } } as unknown as LauncherEntry;
  const gate = createLauncherGate({
    log: pino({ level: 'silent' }),
    leaving: leaving.signal,
    onChange: (_entry, wait) => changes.push(wait ? 'closed' : 'open'),
  });
  return { gate, entry, changes, leaving, probes: () => probes };
}

describe('the gate of a launcher', () => {
  afterEach(() => void vi.useRealTimers());

  it('is open until somebody closes it', () => {
    const { gate, probes } = gateOn(async () => ({ ok: true, detail: '' }));
    expect(gate.waitOf('local')).toBeUndefined();
    expect(probes()).toBe(0);
  });

  it('says why it is closed, and opens when a probe finds the launcher well', async () => {
    let isWell = false;
    const { gate, entry, changes } = gateOn(async () => ({ ok: isWell, detail: 'down' }));
    gate.close(entry, new Error('The engine does not answer'));
    expect(gate.waitOf('local')).toMatchObject({
      cause: 'The engine does not answer',
      owner: 'operator',
      next: 'Messages run as soon as launcher "local" answers again',
    });
    expect(gate.waitOf('another')).toBeUndefined();
    isWell = true;
    await until(() => gate.waitOf('local') === undefined);
    expect(changes).toEqual(['closed', 'open']);
  });

  it('stays closed while probes find it unwell or fail', async () => {
    const answers = [{ ok: false, detail: 'down' }, new Error('broken')];
    const { gate, entry, changes, probes } = gateOn(async () => {
      const answer = answers.shift() ?? { ok: true, detail: '' };
      if (answer instanceof Error) throw answer;
      return answer;
    });
    gate.close(entry, new Error('down'));
    await until(() => changes.includes('open'), { timeoutMs: 10_000 });
    expect(probes()).toBe(3);
  });

  it('keeps the first reason when it is closed again', async () => {
    const { gate, entry, changes, leaving } = gateOn(async () => ({ ok: false, detail: '' }));
    gate.close(entry, new Error('first'));
    gate.close(entry, new Error('second'));
    expect(gate.waitOf('local')?.cause).toBe('first');
    expect(changes).toEqual(['closed']);
    leaving.abort();
  });

  it('is closed by what one execution has met, but not again and again while it is found well at once', async () => {
    vi.useFakeTimers();
    let isWell = true;
    const { gate, entry, changes, leaving } = gateOn(async () => ({ ok: isWell, detail: 'down' }));
    expect(gate.suspect(entry, new Error('The account of "bob" is refused'))?.cause).toContain('bob');
    await vi.advanceTimersByTimeAsync(500);
    expect(gate.suspect(entry, new Error('The account of "bob" is refused'))).toBeUndefined();
    expect(changes).toEqual(['closed', 'open']);
    isWell = false;
    gate.close(entry, new Error('Redis was away'));
    expect(gate.suspect(entry, new Error('The account of "bob" is refused'))?.cause).toBe('Redis was away');
    leaving.abort();
  });

  it('is closed again by what one execution has met half a minute later', async () => {
    vi.useFakeTimers();
    const { gate, entry, leaving } = gateOn(async () => ({ ok: true, detail: '' }));
    gate.suspect(entry, new Error('first'));
    await vi.advanceTimersByTimeAsync(31_000);
    expect(gate.suspect(entry, new Error('second'))?.cause).toBe('second');
    leaving.abort();
  });

  it('is closed again by what one execution has met where it was away before', async () => {
    vi.useFakeTimers();
    const answers = [false, true];
    const { gate, entry, leaving } = gateOn(async () => ({ ok: answers.shift() ?? false, detail: 'down' }));
    gate.suspect(entry, new Error('first'));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(gate.waitOf('local')).toBeUndefined();
    expect(gate.suspect(entry, new Error('second'))?.cause).toBe('second');
    leaving.abort();
  });

  it('stays closed once the process leaves, however well the launcher is then', async () => {
    const { gate, entry, changes, leaving, probes } = gateOn(async () => ({ ok: probes() > 1, detail: 'down' }));
    gate.close(entry, new Error('down'));
    await until(() => probes() === 1);
    leaving.abort();
    // All that the abort sets off has happened by the next turn of the event loop.
    await setImmediate();
    expect(gate.waitOf('local')?.cause).toBe('down');
    expect(changes).toEqual(['closed']);
  });

  it('asks nobody any more once the process leaves', async () => {
    const { gate, entry, leaving, probes } = gateOn(async () => ({ ok: true, detail: '' }));
    leaving.abort();
    gate.close(entry, new Error('down'));
    await Promise.resolve();
    expect(probes()).toBe(0);
  });
});
