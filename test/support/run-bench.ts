/** An execution on its way through a worker, with a mock launcher; what stands in Redis is played by the test. */

import pino from 'pino';
import type { Actor } from '../../src/actors/actor.ts';
import type { Claimed, Message, Settlement, Wait } from '../../src/executions/execution.ts';
import type { Accounting, Launcher, LaunchHandle, LaunchLimits } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import type { RunContext } from '../../src/workers/run-context.ts';
import { type RunOutcome, runExecution } from '../../src/workers/run-execution.ts';
import { waitFor } from '../../src/workers/wait-for.ts';
import { makeMockBench } from './mock-bench.ts';

export interface RunBench extends AsyncDisposable {
  readonly launcher: Launcher;
  /** Whatever the worker said, in this order: `intent`, `handle`, `cancel`, `settle` and so on. */
  readonly steps: readonly string[];
  readonly waits: readonly Wait[];
  readonly settled: readonly Settlement[];
  /** Executions whose books are to be added. */
  readonly booked: readonly string[];
  /** Start times that Redis was told of what runs. */
  readonly started: readonly Date[];
  /** Aborts when its owner asks for its end. */
  readonly cancelled: AbortController;
  /** Starts the program, as a supervisor that died before it recorded the handle. */
  startBefore(): Promise<void>;
  /** The program ends, with exit code 7. */
  release(): Promise<void>;
  starts(): Promise<number>;
  /** Takes it through a worker, to its end or to where it was left. */
  run(changes?: RunChanges): Promise<RunOutcome>;
}

export interface RunChanges {
  readonly actor?: Partial<Actor>;
  readonly message?: Partial<Message>;
  readonly cancelRequested?: boolean;
  /** Taken from the mailbox just now; else it was about to be launched before. */
  readonly isFresh?: boolean;
  /** Whether its launcher is taken to be well, whatever one execution meets. */
  readonly isTrusted?: boolean;
  /** What stands in Redis of it. */
  readonly execution?: Partial<Claimed['execution']>;
  /** What stands beside the path. */
  readonly context?: Partial<Pick<RunContext, 'configs' | 'runAs' | 'checkpoint'>>;
  readonly queues?: RunContext['settings']['queues'];
  readonly blobs?: RunContext['output']['blobs'];
  /** Of a launcher whose scheduler keeps books. */
  readonly accounting?: Promise<Accounting | undefined>;
  /** Where nothing is said the first that fails is one too many. */
  readonly startFailures?: number;
}

const limits: LaunchLimits = {
  graceMs: 100,
  logBytes: 1_000,
  resultBytes: 1_000,
  resultTotalBytes: 1_000,
  resultCount: 1,
};
const ref = { executionId: 'e1', attempt: 1, owner: 'alice' };
const notAfter = new Date(Date.now() + 3_600_000);
const nobody = { uid: null, gid: null, groups: [], tasdir: null, mounts: [] };

export async function openRunBench(): Promise<RunBench> {
  const mock = await makeMockBench();
  const launcher = await mock.open();
  const { environment } = mock.describe({ holds: true, exitCode: 7 }, ref);
  const log = pino({ level: 'silent' });
  const steps: string[] = [];
  const waits: Wait[] = [];
  const settled: Settlement[] = [];
  const booked: string[] = [];
  const started: Date[] = [];
  const cancelled = new AbortController();
  let closed: Wait | undefined;
  let failures = 0;

  const watched: Launcher = {
    ...launcher,
    async cancel(attempt, graceMs) {
      steps.push('cancel');
      return await launcher.cancel(attempt, graceMs);
    },
  };

  function claimedWith({ message, execution, cancelRequested = false, isFresh = false }: RunChanges): Claimed {
    const sent = { contentType: 'str', body: { inline: Buffer.from('hello') }, environment, executor: 'alice' };
    return {
      lease: { tenant: 'T', actorId: 'a1', executionId: 'e1', fence: 2, workerId: 'w1', leaseMs: 60_000 },
      execution: { id: 'e1', executor: 'alice', revision: 1, ...execution } as Claimed['execution'],
      message: { ...sent, ...message } as Message,
      ...(isFresh ? {} : { intent: { fence: 1, attempt: 1, launcher: 'local', notAfter } }),
      startFailures: 0,
      cancelRequested,
      results: 0,
    };
  }

  function contextWith(changes: RunChanges): RunContext {
    const { context, queues = {}, blobs = noBlobs, startFailures = 0, isTrusted = false } = changes;
    const mailbox = {
      extend: async () => void steps.push('extend'),
      giveBack: async (_: unknown, wait: Wait) => (waits.push(wait), void steps.push('give back')),
      recordIntent: async () => (steps.push('intent'), 'recorded'),
      recordHandle: async (_: unknown, handle: LaunchHandle) => (steps.push(`handle ${handle.attempt}`), 'recorded'),
      async noteWait(_: unknown, wait: Wait, failed: boolean) {
        waits.push(wait);
        closed = undefined;
        failures += failed ? 1 : 0;
        return failures;
      },
      running: async (_: unknown, at: Date) => (started.push(at), steps.push('running'), 'running'),
      settle: async (_: unknown, settlement: Settlement) => (settled.push(settlement), 'settled'),
      cleanupDone: async () => undefined,
    };
    const output = {
      running: () => undefined,
      stop: async () => undefined,
      finish: async () => ({
        log: { body: { inline: new Uint8Array() }, truncated: false },
        ...optional('accounting', changes.accounting),
      }),
    };
    return {
      mailbox,
      actors: {
        stateJson: async () => '{}',
        markError: async (_: unknown, revision: number, text: string) => (
          steps.push(`error ${revision}: ${text}`), 'marked'
        ),
      },
      configs: { valuesFor: async () => [] },
      leases: {
        keep: () => ({
          lost: new AbortController().signal,
          cancelled: cancelled.signal,
          [Symbol.dispose]: () => undefined,
        }),
      },
      gate: {
        waitOf: () => closed,
        suspect: (_: unknown, reason: Error) => (isTrusted ? closed : (closed = waitFor(reason))),
      },
      output: { blobs, follow: () => output },
      books: { add: ({ executionId }: { readonly executionId: string }) => void booked.push(executionId) },
      settings: {
        limits: { ...limits, memoryBytes: undefined, nanoCpus: undefined, pids: undefined, maxRunTimeMs: undefined },
        queues,
        notAfterMs: 3_600_000,
        startFailures,
        apiServerOf: () => 'http://here',
        valueText: 'python',
        failedState: 'complete',
      },
      runAs: { of: async () => nobody },
      clock: { now: () => new Date() },
      log,
      checkpoint: async () => undefined,
      leaving: new AbortController().signal,
      ...context,
    } as unknown as RunContext;
  }

  return {
    launcher: watched,
    steps,
    waits,
    settled,
    booked,
    started,
    cancelled,
    async startBefore() {
      const image = await launcher.prepare({ name: mock.image }, new AbortController().signal);
      const spec = { ...ref, tenant: 'T', actorId: 'a1', image, environment, privileged: false, mounts: [], limits };
      await launcher.launch({ ...spec, notAfter }, new AbortController().signal);
    },
    release: () => mock.release(ref),
    starts: () => mock.starts(ref),
    async run(changes = {}) {
      const actor = { ...anActor, image: mock.image, ...changes.actor } as Actor;
      const entry = { name: 'local', place: 'local', launcher: watched };
      return await runExecution(contextWith(changes), entry, claimedWith(changes), actor);
    },
    [Symbol.asyncDispose]: () => mock[Symbol.asyncDispose](),
  };
}

const anActor = {
  tenant: 'T',
  id: 'a1',
  revision: 3,
  name: null,
  owner: 'alice',
  queue: 'default',
  resources: {},
  memLimit: null,
  maxCpus: null,
  privileged: false,
  useContainerUid: false,
  defaultEnvironment: {},
  ...nobody,
};

const noBlobs: RunContext['output']['blobs'] = {
  open() {
    throw new Error('No blob is asked for');
  },
};
