/**
 * Asks Slurm for all jobs at once, however many there are: one `squeue` per interval while anything is followed, and one
 * `sacct` for what `squeue` does not know any more. An answer that did not come says nothing about any job.
 */

import type { LauncherLog } from '../../src/launcher/launcher.ts';
import { type BackoffOptions, pause, pauseMs } from '../../src/lib/backoff.ts';
import type { Host } from '../host/host.ts';
import { sacctCommand } from './commands/sacct.ts';
import { squeueCommand } from './commands/squeue.ts';
import type { JobRecord } from './job-record.ts';

export interface JobPollerOptions {
  /** As the account that sees all jobs. */
  readonly host: Host;
  readonly intervalMs: number;
  readonly backoff: BackoffOptions;
  readonly log: LauncherLog;
}

/** What is known of a job. `gone`: both squeue and sacct have answered, and neither knows it. */
export type JobView = { readonly kind: 'job'; readonly job: JobRecord } | { readonly kind: 'gone' };

export interface FollowedJob {
  /** As `squeue` calls it: `123` or `123_4`. */
  readonly id: string;
  readonly user: string;
  readonly since: Date;
}

export interface JobPoller {
  /** The job as each round after this call sees it, one round an interval. Ends when `signal` aborts. */
  follow(job: FollowedJob, signal: AbortSignal): AsyncIterable<JobView>;
  /** Jobs of this name, by a question begun after this call. Rejects when Slurm does not answer: that is not "none". */
  findByName(name: string, user: string): Promise<readonly JobRecord[]>;
  /** The last trouble with Slurm, or nothing when it answers. */
  trouble(): Error | undefined;
  close(): void;
}

/** Beside an interval of seconds it is nothing. */
const gatherMs = 10;

interface Follower extends FollowedJob {
  readonly tell: (view: JobView) => void;
}

export function createJobPoller(options: JobPollerOptions): JobPoller {
  const { host, intervalMs, log } = options;
  const followers = new Set<Follower>();
  const closing = new AbortController();
  const lookUps = createLookUps(host, closing.signal);
  let running = false;
  let trouble: Error | undefined;

  async function ask(): Promise<void> {
    const asked = [...followers];
    const users = [...new Set(asked.map(({ user }) => user))];
    const queued = byId(await host.run(squeueCommand(users), closing.signal));
    const missing = asked.filter(({ id }) => !queued.has(id));
    const ended = missing.length === 0 ? queued : await askAccounting(missing);
    for (const follower of asked) {
      const job = queued.get(follower.id) ?? ended.get(follower.id);
      follower.tell(job ? { kind: 'job', job } : { kind: 'gone' });
    }
  }

  async function askAccounting(missing: readonly Follower[]): Promise<ReadonlyMap<string, JobRecord>> {
    const since = new Date(Math.min(...missing.map((one) => one.since.getTime())) - 3_600_000);
    return byId(await host.run(sacctCommand([...new Set(missing.map(({ id }) => id))], since), closing.signal));
  }

  async function loop(): Promise<void> {
    let failures = 0;
    // Those who begin to follow together are asked for together.
    await pause(gatherMs, closing.signal);
    while (followers.size > 0 && !closing.signal.aborted) {
      try {
        await ask();
        trouble = undefined;
        failures = 0;
        await pause(intervalMs, closing.signal);
      } catch (thrown) {
        if (closing.signal.aborted) return;
        trouble = thrown as Error;
        log.warn({ err: thrown, host: host.name }, 'Slurm did not answer; it is asked again');
        await pause(intervalMs + pauseMs(failures, options.backoff), closing.signal);
        failures += 1;
      }
    }
  }

  function wake(): void {
    if (running) return;
    running = true;
    void loop().finally(() => {
      running = false;
      if (followers.size > 0 && !closing.signal.aborted) wake();
    });
  }

  return {
    async *follow(job, signal) {
      const views: JobView[] = [];
      let news = Promise.withResolvers<void>();
      const follower: Follower = {
        ...job,
        tell(view) {
          // Only the last counts: a reader that is slow is not told what was.
          views.splice(0, views.length, view);
          news.resolve();
        },
      };
      const leave = (): void => news.resolve();
      signal.addEventListener('abort', leave, { once: true });
      closing.signal.addEventListener('abort', leave, { once: true });
      followers.add(follower);
      wake();
      try {
        while (!signal.aborted && !closing.signal.aborted) {
          const view = views.shift();
          if (view) yield view;
          else {
            await news.promise;
            news = Promise.withResolvers();
          }
        }
      } finally {
        followers.delete(follower);
        signal.removeEventListener('abort', leave);
        closing.signal.removeEventListener('abort', leave);
      }
    },
    async findByName(name, user) {
      const jobs = await lookUps.ask(user);
      // Slurm's own search by name takes upper and lower case for the same.
      return jobs.filter((job) => job.name === name);
    },
    trouble: () => trouble,
    close: () => closing.abort(new Error('the service stops')),
  };
}

/** Many look-ups at once are one question: what comes while one is under way waits for the next. */
function createLookUps(host: Host, signal: AbortSignal) {
  let next: { readonly users: Set<string>; readonly answer: Promise<readonly JobRecord[]> } | undefined;
  let current: Promise<unknown> = Promise.resolve();

  async function ask(user: string): Promise<readonly JobRecord[]> {
    if (!next) {
      const users = new Set<string>();
      const question = current.then(async () => {
        next = undefined;
        return await host.run(squeueCommand([...users]), signal);
      });
      next = { users, answer: question };
      current = question.catch(() => undefined);
    }
    next.users.add(user);
    return await next.answer;
  }
  return { ask };
}

/** The last record of each: an element that was requeued has several in the accounting. */
function byId(jobs: readonly JobRecord[]): ReadonlyMap<string, JobRecord> {
  return new Map(jobs.map((job) => [job.id, job]));
}
