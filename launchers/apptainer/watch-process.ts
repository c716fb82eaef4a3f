/**
 * Follows an attempt to its end. The ledger tells when its program has started and how it ended; the processes of the
 * host only whether anybody is still there to say so. What does not answer is asked again; its silence decides nothing.
 */

import { ServiceError } from '../../src/errors.ts';
import { type ContainerState, type Decision, decideEnd, type Observation } from '../../src/launcher/decide-end.ts';
import type { EndRecord } from '../../src/launcher/end-record.ts';
import type { AttemptRef, LaunchEnd, LaunchEvent, LauncherLog } from '../../src/launcher/launcher.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import { optional } from '../../src/lib/optional.ts';
import type { Host } from '../host/host.ts';
import type { HostLedger } from '../host/host-ledger.ts';
import { type Presence, parseStarter, presenceOf, type Starter } from './process-table.ts';
import type { ProcessWatch } from './process-watch.ts';

export interface WatchParts {
  readonly host: Host;
  readonly ledger: HostLedger;
  readonly processes: ProcessWatch;
  readonly log: LauncherLog;
  readonly pollMs: number;
  /** The starter a launch of this attempt noted last, for a handle that names none. */
  readonly noted: () => Promise<Starter | undefined>;
  /** What Apptainer said, where it never came to the helper. */
  readonly lastWords: () => Promise<string>;
}

export interface Watched extends AttemptRef {
  readonly starter: Starter | undefined;
  /** Of memory, where Apptainer keeps the program within it. */
  readonly memoryBytes: number | undefined;
}

const retryPause = { firstMs: 200, mostMs: 5_000 };

interface Look extends Observation {
  readonly node: string;
}

export async function* watchProcess(
  parts: WatchParts,
  watched: Watched,
  signal: AbortSignal,
): AsyncGenerator<LaunchEvent> {
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, leaving.signal]);
  let isRunning = false;
  let failures = 0;
  try {
    while (!signal.aborted) {
      // From before the look, so that nothing is missed in between.
      const news = newsOf(parts, watched, either);
      const step = await tryToStep(parts, watched, signal);
      if (step === undefined) {
        await pause(pauseMs(failures++, retryPause), signal);
        continue;
      }
      failures = 0;
      const startedAt = startOf(step.look);
      if (!isRunning && startedAt) {
        isRunning = true;
        yield { kind: 'running', at: startedAt, node: step.look.node };
      }
      if (step.end) return yield step.end;
      await news;
    }
  } finally {
    leaving.abort();
  }
}

/** Something happened in the ledger entry, or some time has passed: a network's file system tells nothing of others. */
async function newsOf({ host, ledger, pollMs }: WatchParts, ref: AttemptRef, signal: AbortSignal): Promise<void> {
  await host.waitForChange(ledger.entryPath(ref), pollMs, signal).catch(async () => await pause(pollMs, signal));
}

async function tryToStep(parts: WatchParts, watched: Watched, signal: AbortSignal) {
  try {
    const look = await lookAt(parts, watched);
    return { look, ...optional('end', await endOf(parts, watched, look)) };
  } catch (thrown) {
    if (signal.aborted) return undefined;
    if (thrown instanceof ServiceError && !thrown.retryable) throw thrown;
    const { executionId, attempt } = watched;
    parts.log.warn({ err: thrown, executionId, attempt }, 'attempt could not be looked at; it is looked at again');
    return undefined;
  }
}

/** The processes first and the record last: who is gone then writes no more. */
async function lookAt(parts: WatchParts, watched: Watched): Promise<Look> {
  const { ledger } = parts;
  const before = await ledger.readMarker(watched);
  const starter = before.kind === 'started' ? starterIn(before.owner) : (watched.starter ?? (await parts.noted()));
  const hasRecord = before.kind === 'started' && (await ledger.readEnd(watched)) !== undefined;
  // Whoever has written its end, or never will start, is asked nothing more.
  const isDecided = hasRecord || before.kind === 'closed';
  const presence = starter === undefined || isDecided ? 'gone' : await lookFor(starter, parts.processes);
  const marker = await ledger.readMarker(watched);
  const record = marker.kind === 'started' ? await ledger.readEnd(watched) : undefined;
  const isOwner = marker.kind === 'started' && starter !== undefined && isSame(starterIn(marker.owner), starter);
  return {
    // One that started between the two looks at the marker is looked at again.
    container: presence === 'gone' && marker.kind === before.kind ? endedState(record, watched) : { kind: 'running' },
    isOwner: isOwner || marker.kind !== before.kind,
    marker,
    ...optional('record', record),
    cancelled: await ledger.wasCancelled(watched),
    now: new Date(),
    node: starter?.host ?? parts.host.name,
  };
}

/** Whoever is not there is looked for once more: the list is not made in one moment. */
async function lookFor(starter: Starter, processes: ProcessWatch): Promise<Presence> {
  const first = presenceOf(starter, await processes.recent());
  return first === 'gone' ? presenceOf(starter, await processes.now()) : first;
}

/** Nobody but the helper saw how it ended. That it was for memory is seen from what it had. */
function endedState(record: EndRecord | undefined, { memoryBytes }: Watched): ContainerState {
  if (record === undefined || memoryBytes === undefined || !ranOutOfMemory(record, memoryBytes))
    return { kind: 'gone' };
  return { kind: 'exited', exitCode: record.exitCode, outOfMemory: true, at: record.finishedAt, detail: '' };
}

/** Killed by nobody we know, with most of what it may have: a cgroup counts more than the pages of one process. */
function ranOutOfMemory(record: EndRecord, memoryBytes: number): boolean {
  return record.reason === 'exited' && record.signal === 9 && record.maxMemoryBytes > 0.8 * memoryBytes;
}

function startOf({ marker, record, container, now }: Look): Date | undefined {
  if (marker.kind !== 'started' || record?.reason === 'exec-failed') return undefined;
  if (record) return record.startedAt;
  return container.kind === 'running' ? now : undefined;
}

async function endOf(parts: WatchParts, watched: Watched, look: Look): Promise<LaunchEnd | undefined> {
  const decision: Decision = decideEnd(look);
  if (decision.kind === 'wait') return undefined;
  if (decision.kind === 'end') return decision.end;
  if ((await parts.ledger.close(watched, 'lost')) === 'started') return undefined;
  const said = await parts.lastWords().catch(() => '');
  const detail = `Its process ended before the program started${said === '' ? '' : `: ${said}`}`;
  return { kind: 'lost', at: look.now, started: false, detail };
}

/** The helper's label is the starter. */
function starterIn(owner: string): Starter | undefined {
  return parseStarter(owner.slice(owner.indexOf('@') + 1));
}

function isSame(one: Starter | undefined, other: Starter): boolean {
  return one?.pid === other.pid && one.start === other.start && one.boot === other.boot && one.host === other.host;
}
