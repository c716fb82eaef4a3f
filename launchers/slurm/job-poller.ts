/**
 * Asks Slurm for all jobs at once, however many there are: one `squeue` per interval while anything is followed, and one
 * `sacct` for what `squeue` does not know any more (`accounting-book.ts`). An answer that did not come says nothing about
 * any job, and who follows one is told why nothing is known. After trouble, and where Slurm says that it is asked too
 * often, the pauses grow.
 */

import { asError, UnavailableError } from '../../src/errors.ts';
import type { LauncherLog } from '../../src/launcher/launcher.ts';
import { type BackoffOptions, pause, pauseMs } from '../../src/lib/backoff.ts';
import { optional } from '../../src/lib/optional.ts';
import type { Host } from '../host/host.ts';
import { type AccountedJob, createAccountingBook } from './accounting-book.ts';
import type { Asked } from './job-reason.ts';
import type { JobRecord } from './job-record.ts';
import { phaseOf } from './job-state.ts';
import { isOwnRecord } from './own-record.ts';
import { createSlurmQueries, type QueueAnswer, type SlurmQueries } from './slurm-queries.ts';

export interface JobPollerOptions {
  /** As the account that sees the jobs that are followed. */
  readonly host: Host;
  readonly intervalMs: number;
  /** Between the beginnings of two look-ups; the first is at once. */
  readonly lookUpEveryMs: number;
  readonly backoff: BackoffOptions;
  readonly log: LauncherLog;
}

/** What is known of a job. */
export type JobView =
  | {
      readonly kind: 'job';
      readonly job: JobRecord;
      /** What Slurm said where it wants to be asked less often. */
      readonly slowed?: string;
    }
  /** Both squeue and sacct have answered, and neither knows it, or sacct alone has for long said that it has not ended. */
  | { readonly kind: 'gone' }
  /** Nothing was learned, and nobody was asked: there is something else to look at. */
  | { readonly kind: 'hinted' }
  /** Nothing was learned: the one that was asked did not answer. */
  | { readonly kind: 'unanswered'; readonly asked: Asked; readonly error: Error };

/** Its id is as `squeue` calls it, `123` or `123_4`, or the number its processes know. */
export type FollowedJob = AccountedJob;

export interface JobPoller {
  /** The job as each round after this call sees it, one round an interval, and hints between. Ends when `signal` aborts. */
  follow(job: FollowedJob, signal: AbortSignal, listen?: Listen): AsyncIterable<JobView>;
  /**
   * Jobs of this name, by a question begun after this call, `lookUpEveryMs` after the last of its kind at least. Rejects when
   * Slurm does not answer: that is not "none".
   */
  findByName(name: string, user: string): Promise<readonly JobRecord[]>;
  /** All jobs of a user, alike. */
  jobsOf(user: string): Promise<readonly JobRecord[]>;
  /** Every record the accounting has of a job, once it is over; nothing when that is not known, as `AccountingBook` has it. */
  account(job: FollowedJob, withinMs: number): Promise<readonly JobRecord[] | undefined>;
  /** The last trouble with Slurm, or nothing when it answers. */
  trouble(): Error | undefined;
  close(): void;
}

/** Has `hint` called when there is something to look at before Slurm is asked again. */
export type Listen = (hint: () => void) => Disposable;

/** Beside an interval of seconds it is nothing. */
const gatherMs = 10;

/**
 * Where the accounting was not told of an end, it says for ever that a job runs (sacctmgr(1), "show RunAwayJobs"). It may be
 * behind by minutes.
 */
const runawayMs = 900_000;

interface Follower extends FollowedJob {
  readonly tell: (view: JobView) => void;
  /** Says that there is something to look at, to one who listens and whom Slurm has told nothing that is unread. */
  readonly hint: () => void;
  /** The accounting is being asked about it. */
  isLookedUp: boolean;
  /** Since when squeue has not known it, and the accounting says that it has not ended. */
  missingSinceMs: number | undefined;
}

export function createJobPoller(options: JobPollerOptions): JobPoller {
  const { host, intervalMs, backoff, log } = options;
  const followers = new Set<Follower>();
  const closing = new AbortController();
  const queries = createSlurmQueries(host);
  const lookUps = createLookUps(queries, options.lookUpEveryMs, closing.signal);
  const book = createAccountingBook({ queries, intervalMs, backoff, log, signal: closing.signal });
  /** Users of whose jobs squeue has told: those of others may be hidden from whoever asks. */
  const shown = new Set<string>();
  let running = false;
  let trouble: Error | undefined;

  /** @returns what Slurm said where it wants to be asked less often. */
  async function ask(asked: readonly Follower[]): Promise<string | undefined> {
    const users = new Set(asked.map(({ user }) => user));
    const { jobs, slowed, unknown } = await queries.queue([...users], closing.signal);
    const queued = byId(jobs);
    const started = byOwnId(jobs);
    for (const { user } of jobs) shown.add(user);
    for (const follower of asked) {
      const job = queued.get(follower.id) ?? started.get(follower.id);
      const isTheirs = job && isOwnRecord(job, follower) && mayBeOf(follower.user, job, users);
      if (isTheirs) {
        follower.missingSinceMs = undefined;
        follower.tell({ kind: 'job', job, ...optional('slowed', slowed) });
      } else {
        // Most have ended, and wrote how where it can be read sooner than the accounting knows.
        follower.hint();
        void lookUp(follower, unknown.includes(follower.user));
      }
    }
    return slowed;
  }

  /** What `squeue` has forgotten, or cannot tell; the accounting has its own pace, and asks by numbers alone. */
  async function lookUp(follower: Follower, isUnknown: boolean): Promise<void> {
    if (follower.isLookedUp) return;
    follower.isLookedUp = true;
    try {
      const job = (await book.find(follower)).at(-1);
      if (job && (isUnknown || !isRunaway(follower, job))) follower.tell({ kind: 'job', job });
      else if (isUnknown) follower.tell({ kind: 'unanswered', asked: 'squeue', error: unknownUser(follower.user) });
      else follower.tell({ kind: 'gone' });
    } catch (thrown) {
      if (!closing.signal.aborted) follower.tell({ kind: 'unanswered', asked: 'sacct', error: asError(thrown) });
    } finally {
      follower.isLookedUp = false;
    }
  }

  function isRunaway(follower: Follower, job: JobRecord): boolean {
    if (phaseOf(job) === 'ended' || !shown.has(follower.user)) return false;
    follower.missingSinceMs ??= Date.now();
    return Date.now() - follower.missingSinceMs >= runawayMs;
  }

  async function loop(): Promise<void> {
    let failures = 0;
    // Those who begin to follow together are asked for together.
    await pause(gatherMs, closing.signal);
    while (followers.size > 0 && !closing.signal.aborted) {
      const asked = [...followers];
      try {
        const slowed = await ask(asked);
        trouble = slowed === undefined ? undefined : new Error(slowed);
        failures = slowed === undefined ? 0 : failures + 1;
      } catch (thrown) {
        if (closing.signal.aborted) return;
        const error = asError(thrown);
        trouble = error;
        failures += 1;
        log.warn({ err: thrown, host: host.name }, 'Slurm did not answer; it is asked again');
        for (const follower of asked) follower.tell({ kind: 'unanswered', asked: 'squeue', error });
      }
      const extraMs = failures === 0 ? 0 : pauseMs(failures - 1, backoff);
      await pause(intervalMs + extraMs, closing.signal);
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
    async *follow(job, signal, listen) {
      const views: JobView[] = [];
      let news = Promise.withResolvers<void>();
      const follower: Follower = {
        ...job,
        isLookedUp: false,
        missingSinceMs: undefined,
        tell(view) {
          // Only the last counts: a reader that is slow is not told what was.
          views.splice(0, views.length, view);
          news.resolve();
        },
        // What Slurm has said and nobody has read yet says more.
        hint: () => {
          if (listen && views.length === 0) follower.tell({ kind: 'hinted' });
        },
      };
      const leave = (): void => news.resolve();
      signal.addEventListener('abort', leave, { once: true });
      closing.signal.addEventListener('abort', leave, { once: true });
      followers.add(follower);
      const hints = listen?.(follower.hint);
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
        hints?.[Symbol.dispose]();
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
    jobsOf: async (user) => await lookUps.ask(user),
    account: async (job, withinMs) => (job.id === '' ? undefined : await book.final(job, withinMs)),
    trouble: () => trouble,
    close: () => closing.abort(new Error('the service stops')),
  };
}

/** Many look-ups at once are one question: what comes while one is under way, or too soon after it, waits for the next. */
function createLookUps(queries: SlurmQueries, everyMs: number, signal: AbortSignal) {
  let next: { readonly users: Set<string>; readonly answer: Promise<QueueAnswer> } | undefined;
  let current: Promise<unknown> = Promise.resolve();
  let askedAtMs = Number.NEGATIVE_INFINITY;

  async function ask(user: string): Promise<readonly JobRecord[]> {
    if (!next) {
      const users = new Set<string>();
      const question = current.then(async () => {
        await pause(Math.max(0, askedAtMs + everyMs - Date.now()), signal);
        askedAtMs = Date.now();
        // Who asks from here on has asked after it began.
        next = undefined;
        return await queries.queue([...users], signal);
      });
      next = { users, answer: question };
      current = question.catch(() => undefined);
    }
    const { users } = next;
    users.add(user);
    const { jobs, unknown } = await next.answer;
    if (unknown.includes(user)) throw unknownUser(user);
    return jobs.filter((job) => mayBeOf(user, job, users));
  }
  return { ask };
}

/** These users' jobs alone were asked for: one of another name is of somebody whom Slurm could not look up just now. */
function mayBeOf(user: string, job: JobRecord, users: ReadonlySet<string>): boolean {
  return job.user === user || !users.has(job.user);
}

function unknownUser(user: string): UnavailableError {
  const message = `Jobs of user "${user}" are not known: squeue could not look up that user, and told nothing of them`;
  return new UnavailableError('launcher.unavailable', message);
}

/** The last record of each: an element that was requeued has several in the accounting. */
function byId(jobs: readonly JobRecord[]): ReadonlyMap<string, JobRecord> {
  return new Map(jobs.map((job) => [job.id, job]));
}

/** By the number their processes know; elements of an array that wait have that of the array. */
function byOwnId(jobs: readonly JobRecord[]): ReadonlyMap<string, JobRecord> {
  return new Map(jobs.filter((job) => phaseOf(job) !== 'waiting').map((job) => [String(job.ownId), job]));
}
