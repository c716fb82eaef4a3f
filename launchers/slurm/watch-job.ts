/**
 * Follows an attempt to its end. Slurm's state only says when to look: what happened is in the ledger, whose marker says
 * which job started the program, and whose end record says how it ended.
 */

import { ServiceError } from '../../src/errors.ts';
import { type ContainerState, decideEnd } from '../../src/launcher/decide-end.ts';
import type { EndRecord } from '../../src/launcher/end-record.ts';
import type { AttemptRef, LaunchEnd, LaunchEvent, LauncherLog } from '../../src/launcher/launcher.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import { optional } from '../../src/lib/optional.ts';
import type { HostLedger } from '../host/host-ledger.ts';
import type { FollowedJob, JobPoller, JobView } from './job-poller.ts';
import { causeOf, explainReason, phaseOf } from './job-state.ts';

export interface WatchParts {
  readonly poller: JobPoller;
  readonly ledger: HostLedger;
  readonly log: LauncherLog;
  /** How long the file system may show late what a job wrote. */
  readonly lateMs: number;
}

const retryPause = { firstMs: 200, mostMs: 5_000 };

export async function* watchJob(
  parts: WatchParts,
  ref: AttemptRef,
  job: FollowedJob,
  signal: AbortSignal,
): AsyncGenerator<LaunchEvent> {
  let isRunning = false;
  let reason: string | undefined;
  let endedAtMs: number | undefined;
  for await (const view of viewsOf(parts, ref, job, signal)) {
    const look = await tryToLook(parts, ref, signal);
    if (!look) continue;
    if (!isRunning && look.startedAt) {
      isRunning = true;
      yield { kind: 'running', at: look.startedAt, node: nodeOf(view) };
    }
    const container = isSettled(look.record) || isOutlived(look.label, view) ? gone : containerOf(view);
    if (!isRunning && view.kind === 'job' && phaseOf(view.job) === 'waiting' && view.job.reason !== reason) {
      reason = view.job.reason;
      const { cause, owner, next } = explainReason(reason);
      yield { kind: 'queued', at: new Date(), reason: cause, owner, next };
    }
    const decision = decideEnd({ ...look, container, isOwner: isOwner(look.label, view), now: new Date() });
    if (decision.kind === 'wait') continue;
    // What has ended may have written more than this host shows yet.
    const isComplete = decision.kind === 'end' && (look.record !== undefined || look.marker.kind === 'closed');
    endedAtMs ??= Date.now();
    if (!isComplete && Date.now() - endedAtMs < parts.lateMs) continue;
    if (decision.kind === 'end') return yield withCause(decision.end, view);
    if ((await parts.ledger.close(ref, 'lost')) === 'started') continue;
    yield { kind: 'lost', at: new Date(), started: false, detail: describeUnstarted(view, decision.detail) };
    return;
  }
}

const gone: ContainerState = { kind: 'gone' };

/** A record to which Slurm has nothing to add: nobody told the program to end, and no signal ended it. */
function isSettled(record: EndRecord | undefined): boolean {
  if (record === undefined || record.reason === 'signalled') return false;
  return record.reason !== 'exited' || record.signal === 0;
}

/** What is decided already is told before Slurm is asked. */
async function* viewsOf(
  parts: WatchParts,
  ref: AttemptRef,
  job: FollowedJob,
  signal: AbortSignal,
): AsyncGenerator<JobView> {
  const look = await tryToLook(parts, ref, signal);
  if (isSettled(look?.record) || look?.marker.kind === 'closed') yield { kind: 'gone' };
  yield* job.id === '' ? nothing(signal) : parts.poller.follow(job, signal);
}

/** An attempt of which no job is known: only its ledger entry can say more. */
async function* nothing(signal: AbortSignal): AsyncGenerator<JobView> {
  while (!signal.aborted) {
    yield { kind: 'gone' };
    await pause(1_000, signal);
  }
}

async function tryToLook({ ledger, log }: WatchParts, ref: AttemptRef, signal: AbortSignal) {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      const marker = await ledger.readMarker(ref);
      const record = marker.kind === 'started' ? await ledger.readEnd(ref) : undefined;
      const cancelled = await ledger.wasCancelled(ref);
      const label = marker.kind === 'started' ? (marker.owner.split('@')[1] ?? '') : '';
      const hasStarted = marker.kind === 'started' && record?.reason !== 'exec-failed';
      const startedAt = hasStarted ? (record?.startedAt ?? new Date()) : undefined;
      return { marker, cancelled, label, ...optional('record', record), ...optional('startedAt', startedAt) };
    } catch (thrown) {
      if (thrown instanceof ServiceError && !thrown.retryable) throw thrown;
      log.warn({ err: thrown, ...ref }, 'attempt could not be looked at; it is looked at again');
      await pause(pauseMs(failures, retryPause), signal);
    }
  }
  return undefined;
}

/**
 * A job that runs, waits, or may do either, is a container that may still start. When it ended is not said: without an end
 * record of the marker's owner, the exit code of a job is nobody's.
 */
function containerOf(view: JobView): ContainerState {
  if (view.kind === 'gone') return { kind: 'gone' };
  const { job } = view;
  if (phaseOf(job) !== 'ended') return { kind: 'running' };
  return {
    kind: 'exited',
    exitCode: job.signal > 0 ? 128 + job.signal : job.exitCode,
    outOfMemory: causeOf(job) === 'out-of-memory',
    detail: `Slurm says ${job.states.join('+')}${job.reason === 'None' ? '' : ` (${job.reason})`}`,
  };
}

/** A job that Slurm started again has the same number, and is not the one that holds the marker. */
function isOwner(label: string, view: JobView): boolean {
  return view.kind === 'job' && label === `${view.job.ownId}.${view.job.restarts}`;
}

/** Whether the job that holds the marker was ended for another start of the same, which will find the marker taken. */
function isOutlived(label: string, view: JobView): boolean {
  const [ownId, restarts] = label.split('.');
  return view.kind === 'job' && ownId === String(view.job.ownId) && Number(restarts) < view.job.restarts;
}

/** What Slurm ended it for, where the program was only told to end. */
function withCause(end: LaunchEnd, view: JobView): LaunchEnd {
  const cause = view.kind === 'job' ? causeOf(view.job) : undefined;
  if (end.kind !== 'exited' && end.kind !== 'lost') return end;
  if (cause === undefined) return end;
  if (cause === 'cancelled') {
    return end.kind === 'exited' ? { kind: 'cancelled', at: end.at, exitCode: end.exitCode } : end;
  }
  const said = view.kind === 'job' ? `Slurm ended it: ${view.job.states.join('+')}` : '';
  const exitCode = end.kind === 'exited' ? end.exitCode : undefined;
  return { kind: 'killed', by: cause, at: end.at, ...optional('exitCode', exitCode), detail: words[cause] ?? said };
}

const words: Readonly<Record<string, string>> = {
  'time-limit': 'It ran longer than its walltime',
  'out-of-memory': 'It used more memory than its limit',
};

function nodeOf(view: JobView): string {
  return view.kind === 'job' && view.job.nodes !== '' ? view.job.nodes : 'unknown';
}

function describeUnstarted(view: JobView, detail: string): string {
  if (view.kind === 'gone') return 'Slurm does not know its job, and its program never started';
  return detail.replace('container', 'job');
}
