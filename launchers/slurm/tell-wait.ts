/** Why a program has not started, or stands still, told when there is something new to tell. */

import type { LaunchEvent } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import type { JobView } from './job-poller.ts';
import { explainSilence, explainSlowing, explainStarting, explainWaiting } from './job-reason.ts';
import type { JobRecord } from './job-record.ts';
import { type Explanation, explainState, isHalted, phaseOf } from './job-state.ts';

type Wait = Extract<LaunchEvent, { readonly kind: 'queued' }>;

export interface WaitTeller {
  /** Nothing where nothing has changed, or where it does not wait. */
  tell(view: JobView, now: Date): Wait | undefined;
}

/** The scheduler plans anew all the time; for people a plan that moves by less is the same. */
const sameMs = 60_000;
/** And no more often than this is it told that a plan has changed. */
const planMs = 120_000;

export function createWaitTeller(): WaitTeller {
  let told: Wait | undefined;
  let toldAtMs = 0;

  return {
    tell(view, now) {
      const why = explain(view);
      if (!why) return undefined;
      const expected = expectedOf(view, now);
      const isSameCause = told?.reason === why.cause;
      const moved = Math.abs((expected?.getTime() ?? 0) - (told?.expected?.getTime() ?? 0)) >= sameMs;
      const isSamePlan = !moved || now.getTime() - toldAtMs < planMs;
      // The first plan is news at any time.
      const isFirstPlan = expected !== undefined && told?.expected === undefined;
      if (isSameCause && isSamePlan && !isFirstPlan) return undefined;
      toldAtMs = now.getTime();
      const since = isSameCause && told ? told.at : now;
      told = {
        kind: 'queued',
        at: since,
        reason: why.cause,
        owner: why.owner,
        next: why.next,
        ...optional('expected', expected),
      };
      return told;
    },
  };
}

function explain(view: JobView): Explanation | undefined {
  if (view.kind === 'gone' || view.kind === 'hinted') return undefined;
  if (view.kind === 'unanswered') return explainSilence(view.asked, view.error);
  const why = explainJob(view.job);
  return why === undefined || view.slowed === undefined
    ? why
    : { ...why, cause: `${why.cause}; ${explainSlowing(view.slowed)}` };
}

function explainJob(job: JobRecord): Explanation | undefined {
  switch (phaseOf(job)) {
    case 'waiting':
      return explainWaiting(job);
    case 'running':
      return job.states.includes('RUNNING') ? explainStarting(job) : explainState(job);
    case 'unknown':
      return explainState(job);
    case 'ended':
      return undefined;
  }
}

/** Slurm tells of a job that waits when it plans to start it; what is past is no plan. */
function expectedOf(view: JobView, now: Date): Date | undefined {
  if (view.kind !== 'job' || phaseOf(view.job) !== 'waiting') return undefined;
  const { startedAt } = view.job;
  return startedAt && startedAt > now ? startedAt : undefined;
}

export interface HaltTeller {
  /** Why it stands still or nothing is known of it; `over` when that has ended, nothing where nothing has changed. */
  tell(view: JobView, now: Date): Wait | 'over' | undefined;
}

/** A silence that is shorter is none that anybody need know of while a program runs. */
const silenceMs = 60_000;

/** Of a program that runs. */
export function createHaltTeller(): HaltTeller {
  let told: string | undefined;
  let silentSince: Date | undefined;

  function tellOnce({ cause, owner, next }: Explanation, at: Date): Wait | undefined {
    if (told === cause) return undefined;
    told = cause;
    return { kind: 'queued', at, reason: cause, owner, next };
  }

  return {
    tell(view, now) {
      if (view.kind === 'unanswered') {
        silentSince ??= now;
        if (now.getTime() - silentSince.getTime() < silenceMs) return undefined;
        return tellOnce(explainSilence(view.asked, view.error), silentSince);
      }
      if (view.kind !== 'job' || phaseOf(view.job) !== 'running') return undefined;
      silentSince = undefined;
      if (isHalted(view.job)) return tellOnce(explainState(view.job), now);
      if (told === undefined) return undefined;
      told = undefined;
      return 'over';
    },
  };
}
