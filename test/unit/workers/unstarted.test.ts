/**
 * How an execution ends that no launch took: as one that never started only where that is known. Redis and the launcher are
 * played, since what counts is which error comes when.
 */

import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Actor } from '../../../src/actors/actor.ts';
import { ForbiddenError, LauncherError, UnavailableError, UnknownOutcomeError } from '../../../src/errors.ts';
import type { Claimed, Settlement, Wait } from '../../../src/executions/execution.ts';
import type { LauncherEntry } from '../../../src/launcher/launcher-table.ts';
import type { RunContext } from '../../../src/workers/run-context.ts';
import { type RunOutcome, runExecution } from '../../../src/workers/run-execution.ts';
import { anActorDraft } from '../../support/mailbox-bench.ts';

const noAccount = new ForbiddenError('host.denied', 'Host login runs nothing for this user: sudo: unknown user alice');
const refusedThere = new UnavailableError('launcher.unavailable', 'Launcher "hpc" cannot see what "alice" has there', {
  cause: noAccount,
  next: 'It goes on by itself once the account is there',
});
const inDoubt = new UnavailableError('launcher.unavailable', 'sbatch timed out', {
  cause: new UnknownOutcomeError('host.unknown_outcome', 'timed out'),
});
const isAway = new UnavailableError('host.unavailable', 'Host login cannot be reached');
const wentAway = new UnavailableError('launcher.unavailable', 'The engine went away');
const startFailed = new LauncherError('host.command_failed', 'The start of a program ended with 1');

/** @param launches - what each launch rejects with; the last one goes on. */
function play(launches: readonly Error[], { intended = false }: { readonly intended?: boolean } = {}) {
  const [lost, cancelled] = [new AbortController(), new AbortController()];
  const site = { account: 'gone' as 'gone' | 'back', waits: [] as Wait[], settled: [] as Settlement[], cleaned: 0 };
  let launched = 0;
  let failures = 0;
  const there = <T>(value: T): T => {
    if (site.account === 'gone') throw refusedThere;
    return value;
  };
  const launcher = {
    capabilities: { asOwner: true, queues: true },
    find: async () => undefined,
    prepare: async () => ({ name: 'an/image', digest: 'sha256:1', argv: ['true'] }),
    async launch() {
      launched += 1;
      throw launches[Math.min(launched, launches.length) - 1] ?? isAway;
    },
    cancel: async () => there('never-started'),
    remove: async () => there(undefined),
  };
  const mailbox = {
    recordIntent: async () => 'recorded',
    async noteWait(_: unknown, wait: Wait, failed: boolean) {
      site.waits.push(wait);
      return (failures += failed ? 1 : 0);
    },
    async settle(_: unknown, settlement: Settlement) {
      site.settled.push(settlement);
      return 'settled';
    },
    cleanupDone: async () => void (site.cleaned += 1),
    extend: async () => 'lost',
  };
  const context = {
    mailbox,
    actors: { stateJson: async () => '{}', markError: async () => 'marked' },
    configs: { valuesFor: async () => [] },
    leases: { keep: () => ({ lost: lost.signal, cancelled: cancelled.signal, [Symbol.dispose]: () => undefined }) },
    gate: { waitOf: () => undefined, suspect: () => undefined },
    output: { blobs: {} },
    settings: {
      notAfterMs: 1_000,
      startFailures: 5,
      queues: {},
      limits: {},
      apiServerOf: () => '',
      failedState: 'ERROR',
    },
    runAs: { of: async () => ({ uid: '10001', gid: '20000', groups: [], tasdir: null, mounts: [] }) },
    clock: { now: () => new Date() },
    log: pino({ level: 'silent' }),
    checkpoint: async () => undefined,
    leaving: new AbortController().signal,
  } as unknown as RunContext;
  const entry = { name: 'hpc', place: 'hpc', launcher } as unknown as LauncherEntry;
  const body = { inline: new Uint8Array() };
  const claimed = {
    lease: { executionId: 'e', workerId: 'w' },
    execution: { id: 'e' },
    message: { contentType: 'application/octet-stream', body, environment: {} },
    ...(intended ? { intent: { attempt: 1, launcher: 'hpc', notAfter: new Date() } } : {}),
  } as unknown as Claimed;
  const actor = { ...anActorDraft(), id: 'a', owner: 'alice', configs: [] } as unknown as Actor;
  const running = runExecution(context, entry, claimed, actor);
  return { site, running, lost, cancelled };
}

async function outcomeWithin(running: Promise<RunOutcome>, ms: number): Promise<RunOutcome | 'goes on'> {
  let outcome: RunOutcome | 'goes on' = 'goes on';
  void running.then((value) => (outcome = value));
  await vi.advanceTimersByTimeAsync(ms);
  return outcome;
}

describe('an execution that no launch took, of an account that is not there', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['was refused each time', [noAccount]],
    ['was refused once the host answered', [isAway, isAway, noAccount]],
  ])('ends, and owes no removal, where it %s', async (_, launches) => {
    const { site, running } = play(launches);
    expect(await outcomeWithin(running, 120_000)).toBe('settled');
    expect(site.settled).toMatchObject([{ end: 'launch-failed', detail: noAccount.message }]);
    expect(site.cleaned).toBe(1);
  });

  it.each([
    ['one launch got no answer', [inDoubt, noAccount], false],
    ['a launch failed after it had begun', [startFailed, noAccount], false],
    ['a launcher went away while it was told', [wentAway, noAccount], false],
    ['who held it before may have launched it', [noAccount], true],
  ])('waits with its reason until its marker is closed, where %s', async (_, launches, intended) => {
    const { site, running } = play(launches, { intended });
    expect(await outcomeWithin(running, 600_000)).toBe('goes on');
    expect(site.settled).toEqual([]);
    expect(site.waits.at(-1)).toMatchObject({
      cause: refusedThere.message,
      owner: 'operator',
      next: refusedThere.next,
    });
    site.account = 'back';
    expect(await outcomeWithin(running, 20_000)).toBe('settled');
    expect(site.settled).toMatchObject([{ end: 'launch-failed', detail: noAccount.message }]);
    expect(site.cleaned).toBe(1);
  });

  it.each([
    ['ends at once when it is cancelled', [isAway], 'settled'],
    ['waits when it is cancelled, and a launch got no answer', [inDoubt, isAway], 'goes on'],
  ])('%s', async (_, launches, outcome) => {
    const { site, running, cancelled } = play(launches);
    await vi.advanceTimersByTimeAsync(2_000);
    cancelled.abort();
    expect(await outcomeWithin(running, 60_000)).toBe(outcome);
    expect(site.settled.map(({ end }) => end)).toEqual(outcome === 'settled' ? ['cancelled'] : []);
  });

  it('is left when its lease is lost meanwhile', async () => {
    const { site, running, lost } = play([inDoubt, noAccount]);
    expect(await outcomeWithin(running, 60_000)).toBe('goes on');
    lost.abort();
    expect(await outcomeWithin(running, 0)).toBe('left');
    expect(site.settled).toEqual([]);
  });
});
