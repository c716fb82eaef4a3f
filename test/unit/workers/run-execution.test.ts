import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ForbiddenError, InvalidError, UnavailableError } from '../../../src/errors.ts';
import { openRunBench, type RunBench, type RunChanges } from '../../support/run-bench.ts';
import { until } from '../../support/until.ts';

let bench: RunBench;

beforeEach(async () => {
  bench = await openRunBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

const anyResources = {
  partitions: [],
  accounts: [],
  qos: [],
  maxWalltimeMs: null,
  maxMemoryBytes: null,
  maxGpus: null,
};

/** What would refuse a start by now. */
const refusals: readonly [string, RunChanges][] = [
  ['an image that cannot be had', { actor: { image: 'mock/not-found:1' } }],
  ['a tighter queue', { actor: { resources: { nodes: 4 } }, queues: { default: { ...anyResources, maxNodes: 1 } } }],
  ['configs that are refused', { context: { configs: { valuesFor: refuse(InvalidError, 'actor_config.invalid') } } }],
  ['an owner who runs nothing', { context: { runAs: { of: refuse(ForbiddenError, 'identity.disabled') } } }],
];

function refuse(
  Refusal: typeof InvalidError | typeof ForbiddenError,
  code: 'actor_config.invalid' | 'identity.disabled',
) {
  return async () => {
    throw new Refusal(code, 'It is refused');
  };
}

describe('an adopted execution whose program had started, and whose handle nobody wrote down', () => {
  it.each(refusals)('is followed to its own end, whatever its actor has become: %s', async (_, changes) => {
    await bench.startBefore();
    const outcome = bench.run(changes);
    await bench.release();
    expect(await outcome).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7, state: 'complete' }]);
    expect(bench.steps).toEqual(['handle 1', 'running']);
    expect(await bench.starts()).toBe(1);
  });

  it('is told to end where somebody had asked for that', async () => {
    await bench.startBefore();
    expect(await bench.run({ ...refusals[0]?.[1], cancelRequested: true })).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'cancelled' }]);
  });

  it('is followed by the same holder through what no repetition mends, until somebody does, and says what', async () => {
    await bench.startBefore();
    const answers = { ...bench.launcher };
    const troubles = [
      new ForbiddenError('host.denied', 'Host login refuses the key of "alice"'),
      new ForbiddenError('host.key_changed', 'Host login has another key'),
    ];
    bench.launcher.watch = async function* (handle, signal) {
      const trouble = troubles.shift();
      if (trouble) throw trouble;
      yield* answers.watch(handle, signal);
    };
    await bench.release();
    expect(await bench.run()).toBe('settled');
    expect(bench.waits.map(({ cause }) => cause)).toEqual([
      'Host login refuses the key of "alice"',
      'Host login has another key',
    ]);
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
  });

  it('waits and says so while its launcher cannot be asked, and nothing is ended', async () => {
    await bench.startBefore();
    const answers = { ...bench.launcher };
    let asked = 0;
    bench.launcher.find = async (attempt, signal) => {
      asked += 1;
      if (asked === 1) throw new UnavailableError('launcher.unavailable', 'The engine is away');
      if (asked === 2) throw new Error('What is this');
      return await answers.find(attempt, signal);
    };
    await bench.release();
    expect(await bench.run(refusals[0]?.[1])).toBe('settled');
    expect(bench.waits.map(({ cause }) => cause)).toEqual(['The engine is away', 'What is this']);
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
    expect(bench.steps).not.toContain('cancel');
  });
});

describe('an adopted execution that was seen to run', () => {
  const startedAt = new Date(1_000);
  const wait = { cause: 'The login node is away', since: startedAt, owner: 'network' as const, next: 'It comes back' };

  it('waits for nothing any more once it is seen to run again, and has started when it did', async () => {
    await bench.startBefore();
    await bench.release();
    expect(await bench.run({ execution: { startedAt, wait } })).toBe('settled');
    expect(bench.started).toEqual([startedAt]);
  });

  it('is not told again to run where it waited for nothing', async () => {
    await bench.startBefore();
    await bench.release();
    expect(await bench.run({ execution: { startedAt } })).toBe('settled');
    expect(bench.started).toEqual([]);
  });

  it('says why it cannot be watched, or stands still, and no longer than that is so', async () => {
    await bench.startBefore();
    const answers = { ...bench.launcher };
    let watches = 0;
    bench.launcher.watch = async function* (handle, signal) {
      watches += 1;
      if (watches === 1) throw new ForbiddenError('host.key_changed', 'Host login has another key');
      const node = 'c1';
      yield { kind: 'running', at: new Date(), node };
      yield { kind: 'queued', at: new Date(), reason: 'Slurm has suspended it', owner: 'operator', next: 'It goes on' };
      yield { kind: 'running', at: new Date(), node };
      yield* answers.watch(handle, signal);
    };
    await bench.release();
    expect(await bench.run({ execution: { startedAt } })).toBe('settled');
    expect(bench.waits.map(({ cause }) => cause)).toEqual(['Host login has another key', 'Slurm has suspended it']);
    expect(bench.started).toEqual([startedAt, startedAt]);
  });
});

describe('a cancel that its launcher refuses', () => {
  it('is not repeated once the program has ended', async () => {
    await bench.startBefore();
    const answer = Promise.withResolvers<never>();
    let asked = 0;
    bench.launcher.cancel = async () => {
      asked += 1;
      return await answer.promise;
    };
    await bench.release();
    expect(await bench.run({ cancelRequested: true })).toBe('settled');
    vi.useFakeTimers();
    try {
      answer.reject(new UnavailableError('launcher.unavailable', 'Nobody knows its job'));
      await vi.advanceTimersByTimeAsync(120_000);
    } finally {
      vi.useRealTimers();
    }
    expect(asked).toBe(1);
  });
});

describe('an adopted execution whose program had not started', () => {
  it('is launched', async () => {
    await bench.release();
    expect(await bench.run()).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
    expect(await bench.starts()).toBe(1);
  });

  it.each(refusals)('never starts where that is refused: %s', async (_, changes) => {
    expect(await bench.run(changes)).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'launch-failed', state: 'error' }]);
    expect(await bench.starts()).toBe(0);
  });
});

describe('an execution whose scheduler keeps books', () => {
  it('is settled without them, and they are left to come', async () => {
    await bench.release();
    const never = new Promise<undefined>(() => {});
    expect(await bench.run({ accounting: never })).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
    expect(bench.booked).toEqual(['e1']);
  });
});

describe('contract §14: a message whose start fails', () => {
  const failTimes = (times: number): void => {
    const before = { ...bench.launcher };
    let failed = 0;
    bench.launcher.launch = async (spec, signal) => {
      if (failed === times) return await before.launch(spec, signal);
      failed += 1;
      throw new Error(`Failure ${failed}`);
    };
  };

  it('starts where it has failed no more often than it may', async () => {
    failTimes(2);
    await bench.release();
    expect(await bench.run({ startFailures: 2 })).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
    expect(bench.steps.join()).not.toContain('error');
  });

  it('ends at one more, and its actor is in ERROR and says why', async () => {
    failTimes(3);
    expect(await bench.run({ startFailures: 2 })).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'launch-failed', detail: 'Failure 3', state: 'error' }]);
    expect(bench.steps).toContain('error 3: It could not be started, 3 times in a row: Failure 3');
    expect(await bench.starts()).toBe(0);
  });
});

describe('a message whose text cannot be read', () => {
  const message = { body: { blob: 'b1', bytes: 5 } };
  /** Fails with these, one after the other, before it has it. */
  function opensAfter(...troubles: readonly Error[]): Pick<RunChanges, 'blobs' | 'message'> {
    const left = [...troubles];
    const open = async function* () {
      const trouble = left.shift();
      if (trouble) throw trouble;
      yield Buffer.from('hello');
    };
    return { blobs: { open }, message };
  }
  const away = new UnavailableError('blob.unavailable', 'The directory is away');

  it('waits and says for what, and starts once it can be', async () => {
    await bench.release();
    expect(await bench.run(opensAfter(away, new Error('What is this')))).toBe('settled');
    expect(bench.waits.map(({ cause }) => cause)).toEqual(['The directory is away', 'What is this']);
    expect(bench.waits[1]?.since).toEqual(bench.waits[0]?.since);
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
  });

  it('is not waited for by one that is to end, also where its launcher does not answer at first', async () => {
    const answers = { ...bench.launcher };
    let asked = 0;
    bench.launcher.cancel = async (attempt, graceMs) => {
      asked += 1;
      if (asked === 1) throw new UnavailableError('launcher.unavailable', 'The engine is away');
      return await answers.cancel(attempt, graceMs);
    };
    const outcome = bench.run(opensAfter(...Array.from({ length: 100 }, () => away)));
    await until(() => bench.waits.length > 0);
    bench.cancelled.abort();
    expect(await outcome).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'cancelled' }]);
    expect(await bench.starts()).toBe(0);
  });
});
