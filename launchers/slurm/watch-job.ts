/**
 * Follows an attempt to its end. Slurm's state, and whoever reads its output, only say when to look: what happened is in the
 * ledger, whose marker says which job started the program, and whose end record says how it ended.
 */

import { asError, ServiceError } from '../../src/errors.ts';
import { type ContainerState, decideEnd, killedExitCode } from '../../src/launcher/decide-end.ts';
import type { EndRecord } from '../../src/launcher/end-record.ts';
import type { AttemptRef, LaunchEvent, LauncherLog } from '../../src/launcher/launcher.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import { optional } from '../../src/lib/optional.ts';
import { lastWords } from '../host/command.ts';
import type { HostLedger } from '../host/host-ledger.ts';
import type { FollowedJob, JobPoller, JobView, Listen } from './job-poller.ts';
import { causeOf, phaseOf } from './job-state.ts';
import { holderOf, type MarkerHolder } from './marker-holder.ts';
import { createHaltTeller, createWaitTeller } from './tell-wait.ts';
import { withCause } from './with-cause.ts';

export interface WatchParts {
  readonly poller: JobPoller;
  readonly ledger: HostLedger;
  readonly log: LauncherLog;
  readonly listen: Listen;
  /** How long the file system may show late what a job wrote. */
  readonly lateMs: number;
  /** Whether all that the end record tells of can be read. */
  readonly isWhole: (record: EndRecord) => Promise<boolean>;
  /** What Slurm wrote about the job, and whatever was to start its program about itself. */
  readonly lastWords: () => Promise<string>;
  /** How long an end waits for the accounting to say who cancelled it. */
  readonly accountingMs: number;
}

/** One view in so many: what waits has written nothing, unless another job of the same attempt started the program. */
const lookAtWaiting = 10;

type Wait = Extract<LaunchEvent, { readonly kind: 'queued' }>;
type Running = Extract<LaunchEvent, { readonly kind: 'running' }>;

const retryPause = { firstMs: 200, mostMs: 5_000 };

export async function* watchJob(
  parts: WatchParts,
  ref: AttemptRef,
  job: FollowedJob,
  signal: AbortSignal,
): AsyncGenerator<LaunchEvent> {
  const waits = createWaitTeller();
  const halts = createHaltTeller();
  let running: Running | undefined;
  let endedAtMs: number | undefined;
  let owner: string | undefined;
  let waitedViews = 0;
  let nodes = '';
  const newsIn = (view: JobView): Wait | Running | undefined => {
    if (!running) return waits.tell(view, new Date());
    const news = halts.tell(view, new Date());
    return news === 'over' ? running : news;
  };
  const silent = (error: Error) => newsIn({ kind: 'unanswered', asked: 'files', error });
  const before = yield* lookPatiently(parts, ref, { signal, silent });
  const isOver = isSettled(before?.record) || before?.marker.kind === 'closed';
  for await (const { view, followed } of viewsOf(parts, job, { isOver, ownerJob: () => owner, signal })) {
    if (view.kind === 'job') ({ nodes } = view.job);
    waitedViews = view.kind === 'job' && phaseOf(view.job) === 'waiting' ? waitedViews + 1 : 0;
    if (waitedViews > 0 && waitedViews % lookAtWaiting !== 1) {
      const news = newsIn(view);
      if (news) yield news;
      continue;
    }
    const look = yield* lookPatiently(parts, ref, { signal, silent });
    if (!look) continue;
    owner = look.holder?.jobId;
    if (view.kind === 'hinted' && !isDecided(look.record)) continue;
    // The handle may name a job that came too late; what becomes of that says nothing.
    if (!isSettled(look.record) && isAnothers(owner, view, followed)) continue;
    if (!running && look.startedAt) {
      running = { kind: 'running', at: look.startedAt, node: nodes || look.holder?.node || 'unknown' };
      yield running;
    }
    const container = isSettled(look.record) || isOutlived(look.holder, view) ? gone : containerOf(view, look.record);
    const news = isSettled(look.record) ? undefined : newsIn(view);
    if (news) yield news;
    const decision = decideEnd({ ...look, container, isOwner: isOwner(look.holder, view), now: new Date() });
    if (decision.kind === 'wait') {
      endedAtMs = undefined;
      continue;
    }
    // What has ended may have written more than this host shows yet.
    const isComplete = decision.kind === 'end' && (await isAllThere(parts, look));
    endedAtMs ??= Date.now();
    if (!isComplete && Date.now() - endedAtMs < parts.lateMs) continue;
    if (decision.kind === 'end' && hasSucceeded(look.record)) return yield decision.end;
    if (decision.kind === 'end')
      return yield await withCause(parts, decision.end, { view, job: followed, cancelled: isOurs(look) });
    const wasCancelled = view.kind === 'job' && causeOf(view.job) === 'cancelled';
    // Whoever took it from the queue does not want it to be handed over again.
    if ((await parts.ledger.close(ref, wasCancelled ? 'cancelled' : 'lost')) === 'started') continue;
    if (wasCancelled)
      return yield await withCause(
        parts,
        { kind: 'cancelled', at: new Date() },
        { view, job: followed, cancelled: false },
      );
    const said = job.id === '' ? '' : await parts.lastWords().catch(() => '');
    yield { kind: 'lost', at: new Date(), started: false, detail: describeUnstarted(view, decision.detail, said) };
    return;
  }
}

const gone: ContainerState = { kind: 'gone' };

type Look = Awaited<ReturnType<typeof lookOnce>>;

async function isAllThere(parts: WatchParts, { record, marker }: Look): Promise<boolean> {
  if (record === undefined) return marker.kind === 'closed';
  return await parts.isWhole(record).catch((thrown: unknown) => {
    if (thrown instanceof ServiceError && !thrown.retryable) throw thrown;
    return false;
  });
}

/** A marker that is closed was closed by us. */
function isOurs({ cancelled, marker }: Look): boolean {
  return cancelled || marker.kind === 'closed';
}

/** A record to which Slurm has nothing to add: nobody told the program to end, and no signal ended it. */
function isSettled(record: EndRecord | undefined): boolean {
  if (record === undefined || record.reason === 'signalled') return false;
  return record.reason !== 'exited' || record.signal === 0;
}

/** What Slurm says beside it is of another process of its job, or came after the end. */
function hasSucceeded(record: EndRecord | undefined): boolean {
  return isSettled(record) && record?.exitCode === 0;
}

/** Of what was killed, Slurm may have written why, a moment later. */
function isDecided(record: EndRecord | undefined): boolean {
  return isSettled(record) && record?.exitCode !== killedExitCode;
}

interface Seen {
  readonly view: JobView;
  /** The job that was asked about. */
  readonly followed: FollowedJob;
}

interface ViewsOptions {
  /** Decided already, which is told before Slurm is asked. */
  readonly isOver: boolean;
  readonly ownerJob: () => string | undefined;
  readonly signal: AbortSignal;
}

/** Once it is known which job started the program, that one is followed. */
async function* viewsOf(
  parts: WatchParts,
  job: FollowedJob,
  { isOver, ownerJob, signal }: ViewsOptions,
): AsyncGenerator<Seen> {
  if (isOver) yield { view: { kind: 'gone' }, followed: job };
  let next: FollowedJob | undefined = job;
  // What is over by itself is not asked again: its signal has aborted, or the poller is closed.
  while (next) {
    const followed: FollowedJob = next;
    next = undefined;
    const views = followed.id === '' ? nothing(signal) : parts.poller.follow(followed, signal, parts.listen);
    for await (const view of views) {
      yield { view, followed };
      if (view.kind === 'hinted') continue;
      const owner = ownerJob();
      if (owner === undefined || !isAnothers(owner, view, followed)) continue;
      next = { ...followed, id: owner, handedOver: job.id };
      break;
    }
  }
}

function isAnothers(owner: string | undefined, view: JobView, followed: FollowedJob): boolean {
  if (owner === undefined || followed.id === owner) return false;
  return view.kind === 'job' ? String(view.job.ownId) !== owner : true;
}

/** An attempt of which no job is known: only its ledger entry can say more. */
async function* nothing(signal: AbortSignal): AsyncGenerator<JobView> {
  while (!signal.aborted) {
    yield { kind: 'gone' };
    await pause(1_000, signal);
  }
}

interface Patience {
  readonly signal: AbortSignal;
  /** What is to be told while it cannot be looked at. */
  readonly silent: (error: Error) => LaunchEvent | undefined;
}

/** @returns nothing when `signal` has aborted. */
async function* lookPatiently(
  { ledger, log }: WatchParts,
  ref: AttemptRef,
  { signal, silent }: Patience,
): AsyncGenerator<LaunchEvent, Look | undefined> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return await lookOnce(ledger, ref);
    } catch (thrown) {
      if (thrown instanceof ServiceError && !thrown.retryable) throw thrown;
      log.warn({ err: thrown, ...ref }, 'attempt could not be looked at; it is looked at again');
      const event = silent(asError(thrown));
      if (event) yield event;
      await pause(pauseMs(failures, retryPause), signal);
    }
  }
  return undefined;
}

async function lookOnce(ledger: HostLedger, ref: AttemptRef) {
  const marker = await ledger.readMarker(ref);
  const record = marker.kind === 'started' ? await ledger.readEnd(ref) : undefined;
  const cancelled = await ledger.wasCancelled(ref);
  const hasStarted = marker.kind === 'started' && record?.reason !== 'exec-failed';
  const startedAt = hasStarted ? (record?.startedAt ?? new Date()) : undefined;
  const found = { ...optional('holder', holderOf(marker)), ...optional('record', record) };
  return { marker, cancelled, ...found, ...optional('startedAt', startedAt) };
}

/**
 * A job that runs, waits, or may do either, is a container that may still start. When it ended is not said: without an end
 * record of the marker's owner, the exit code of a job is nobody's.
 */
function containerOf(view: JobView, record: EndRecord | undefined): ContainerState {
  if (view.kind === 'gone') return { kind: 'gone' };
  // Nothing was learned, so nothing is decided.
  if (view.kind === 'unanswered' || view.kind === 'hinted') return { kind: 'running' };
  const { job } = view;
  if (phaseOf(job) !== 'ended') return { kind: 'running' };
  return {
    kind: 'exited',
    // Slurm reads signals into exit codes, and not every version and form tells of them: the record is better.
    exitCode: record?.exitCode ?? (job.signal > 0 ? 128 + job.signal : job.exitCode),
    outOfMemory: causeOf(job) === 'out-of-memory',
    detail: `Slurm says ${job.states.join('+')}${job.reason === 'None' ? '' : ` (${job.reason})`}`,
  };
}

/**
 * A job that Slurm started again has the same number, and is not the one that holds the marker. Where nothing is known of
 * the job, it may be the one.
 */
function isOwner(holder: MarkerHolder | undefined, view: JobView): boolean {
  if (view.kind !== 'job') return view.kind !== 'gone';
  const { ownId, restarts } = view.job;
  return holder?.jobId === String(ownId) && (restarts === undefined || holder.restarts === restarts);
}

/** Whether the job that holds the marker was ended for another start of the same, which will find the marker taken. */
function isOutlived(holder: MarkerHolder | undefined, view: JobView): boolean {
  if (view.kind !== 'job' || holder?.jobId !== String(view.job.ownId)) return false;
  return holder.restarts < (view.job.restarts ?? 0);
}

function describeUnstarted(view: JobView, detail: string, said: string): string {
  const why = 'Slurm does not know its job, and its program never started';
  const what = view.kind === 'job' ? detail.replace('container', 'job') : why;
  return said.trim() === '' ? what : `${what}: ${lastWords(said)}`;
}
