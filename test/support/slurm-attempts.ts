/** Attempts on the test cluster, for tests of what Slurm does to them. */

import { randomUUID } from 'node:crypto';
import type {
  AttemptRef,
  LaunchEnd,
  LaunchEvent,
  Launcher,
  LaunchHandle,
  LaunchSpec,
} from '../../src/launcher/launcher.ts';
import type { Cluster } from './cluster.ts';
import type { LauncherBench, TestProgram } from './launcher-contract.ts';
import { until } from './until.ts';

export interface Followed {
  readonly handle: LaunchHandle;
  /** What its watch has told so far. */
  readonly events: readonly LaunchEvent[];
  readonly end: Promise<LaunchEnd>;
}

export interface SlurmAttempts {
  /** Launches and follows one. */
  start(program: TestProgram | { readonly script: string }, changes?: Partial<LaunchSpec>): Promise<Followed>;
  untilRunning(followed: Followed): Promise<void>;
  untilWaiting(followed: Followed, reason: RegExp): Promise<Extract<LaunchEvent, { readonly kind: 'queued' }>>;
}

const signal = new AbortController().signal;

export function createSlurmAttempts(bench: LauncherBench, launcher: Launcher): SlurmAttempts {
  async function start(program: TestProgram | { readonly script: string }, changes: Partial<LaunchSpec> = {}) {
    const ref: AttemptRef = {
      executionId: `e${randomUUID().replaceAll('-', '').slice(0, 12)}`,
      attempt: 1,
      owner: 'alice',
    };
    const prepared = await launcher.prepare({ name: bench.image }, signal);
    const isScript = 'script' in program;
    const { argv, ...described } = bench.describe(isScript ? {} : program, ref);
    const spec: LaunchSpec = {
      ...ref,
      ...described,
      tenant: 'lab',
      actorId: 'a1',
      privileged: false,
      image: { ...prepared, argv: isScript ? ['sh', '-c', program.script] : argv },
      limits: {
        graceMs: 1_000,
        logBytes: 100_000,
        resultBytes: 1_000,
        resultTotalBytes: 10_000_000,
        resultCount: 1_000,
      },
      notAfter: new Date(Date.now() + 3_600_000),
      ...changes,
    };
    const handle = await launcher.launch(spec, signal);
    const events: LaunchEvent[] = [];
    const follow = async (): Promise<LaunchEnd> => {
      for await (const event of launcher.watch(handle, AbortSignal.timeout(240_000))) {
        events.push(event);
        if (event.kind !== 'queued' && event.kind !== 'running') return event;
      }
      throw new Error('The watch gave no end');
    };
    const end = follow();
    end.catch(() => undefined);
    return { handle, events, end };
  }

  return {
    start,
    async untilRunning({ events }) {
      await until(() => events.some(({ kind }) => kind === 'running'), { timeoutMs: 90_000, what: 'its start' });
    },
    async untilWaiting({ events }, reason) {
      const waits = () => events.flatMap((event) => (event.kind === 'queued' ? [event] : []));
      return await until(() => waits().findLast((wait) => reason.test(wait.reason)), {
        timeoutMs: 90_000,
        what: `it to wait for ${String(reason)}`,
      });
    },
  };
}

/** Cancels a job as somebody, as they would by hand. */
export async function scancelAs(cluster: Cluster, user: string, { handle }: Followed): Promise<void> {
  await cluster.exec(
    'login',
    `setpriv --reuid ${user} --regid $(id -g ${user}) --init-groups scancel ${handle.nativeId}`,
  );
}
