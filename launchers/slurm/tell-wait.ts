/** Why a job has not started, told when there is something new to tell. */

import type { LaunchEvent } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import type { JobView } from './job-poller.ts';
import { explainSilence, explainSlowing, explainWaiting } from './job-reason.ts';
import { type Explanation, explainState, phaseOf } from './job-state.ts';

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
  const phase = phaseOf(view.job);
  if (phase !== 'waiting' && phase !== 'unknown') return undefined;
  const why = phase === 'waiting' ? explainWaiting(view.job) : explainState(view.job);
  return view.slowed === undefined ? why : { ...why, cause: `${why.cause}; ${explainSlowing(view.slowed)}` };
}

/** Slurm tells of a job that waits when it plans to start it; what is past is no plan. */
function expectedOf(view: JobView, now: Date): Date | undefined {
  if (view.kind !== 'job' || phaseOf(view.job) !== 'waiting') return undefined;
  const { startedAt } = view.job;
  return startedAt && startedAt > now ? startedAt : undefined;
}
