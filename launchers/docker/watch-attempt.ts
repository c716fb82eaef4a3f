/**
 * Follows an attempt to its end. The engine tells when a container has ended, the ledger entry when its program has
 * started, and each time everything is looked at anew. What does not answer is asked again; its silence decides nothing.
 */

import { hostname } from 'node:os';
import { ServiceError } from '../../src/errors.ts';
import { decideEnd, type Observation } from '../../src/launcher/decide-end.ts';
import type { AttemptRef, LaunchEnd, LaunchEvent, LauncherLog } from '../../src/launcher/launcher.ts';
import type { Ledger } from '../../src/launcher/ledger.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import { optional } from '../../src/lib/optional.ts';
import type { Containers, FoundContainer } from './containers.ts';
import { followMarker } from './marker-news.ts';

export interface WatchParts {
  readonly containers: Containers;
  readonly ledger: Ledger;
  readonly log: LauncherLog;
}

interface Look extends Observation {
  readonly found: FoundContainer | undefined;
}

const retryPause = { firstMs: 200, mostMs: 5_000 };

export async function* watchAttempt(
  parts: WatchParts,
  ref: AttemptRef,
  signal: AbortSignal,
): AsyncGenerator<LaunchEvent> {
  const leaving = new AbortController();
  const either = AbortSignal.any([signal, leaving.signal]);
  using news = followMarker(parts.ledger.entryPath(ref));
  try {
    yield* followAttempt(parts, ref, news.made(either), either);
  } finally {
    // Its reader may leave at any event, without a word to the signal; the question to the engine goes with it.
    leaving.abort();
  }
}

async function* followAttempt(
  parts: WatchParts,
  ref: AttemptRef,
  markerMade: Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<LaunchEvent> {
  const exits = createExits(parts.containers, signal);
  // Waited for once: what the program does to its ledger entry later is no news.
  let isMarkerDue = true;
  let isRunning = false;
  for (let failures = 0; !signal.aborted; ) {
    const step = await tryToStep(parts, ref, signal);
    if (step === undefined) {
      await pause(pauseMs(failures++, retryPause), signal);
      continue;
    }
    failures = 0;
    if (!isRunning && step.startedAt) {
      isRunning = true;
      yield { kind: 'running', at: step.startedAt, node: hostname() };
    }
    if (step.end) return yield step.end;
    if (step.next === 'look') continue;
    const changes = [exits.of(step.container)];
    if (isMarkerDue && !isRunning) changes.push(markerMade.then(() => void (isMarkerDue = false)));
    await Promise.race(changes);
  }
}

interface Step {
  readonly startedAt?: Date;
  readonly end?: LaunchEnd;
  readonly next: 'wait' | 'look';
  /** To wait for; none is there only when there is nothing to wait for. */
  readonly container: string | undefined;
}

/** @returns nothing when something did not answer; that decides nothing. */
async function tryToStep(parts: WatchParts, ref: AttemptRef, signal: AbortSignal): Promise<Step | undefined> {
  try {
    const look = await lookAt(parts, ref, signal);
    const end = await endOf(parts, ref, look, signal);
    return {
      ...optional('startedAt', startOf(look)),
      ...(typeof end === 'string' ? { next: end } : { end, next: 'look' }),
      container: look.found?.id,
    };
  } catch (error) {
    if (signal.aborted) return undefined;
    if (error instanceof ServiceError && !error.retryable) throw error;
    parts.log.warn({ err: error, ...ref }, 'attempt could not be looked at; it is looked at again');
    return undefined;
  }
}

/** The engine first and the record last: what is gone then writes no more. */
async function lookAt({ containers, ledger }: WatchParts, ref: AttemptRef, signal: AbortSignal): Promise<Look> {
  const named = await containers.find(ref, signal);
  const marker = await ledger.readMarker(ref);
  const starter = marker.kind === 'started' ? marker.owner.split('@')[1] : undefined;
  const isNamed = named !== undefined && named.starter === starter;
  const owner = starter === undefined || isNamed ? named : await containers.findStarter(ref, starter, signal);
  const record = await ledger.readEnd(ref);
  const found = owner ?? named;
  return {
    found,
    container: found?.state ?? { kind: 'gone' },
    isOwner: starter !== undefined && found?.starter === starter,
    marker,
    ...optional('record', record),
    cancelled: await ledger.wasCancelled(ref),
    now: new Date(),
  };
}

/** When the program started, if it has. */
function startOf({ marker, record, found, isOwner, now }: Look): Date | undefined {
  if (marker.kind !== 'started' || record?.reason === 'exec-failed') return undefined;
  if (record) return record.startedAt;
  return isOwner && found?.state.kind === 'running' ? (found.startedAt ?? now) : undefined;
}

async function endOf(
  parts: WatchParts,
  ref: AttemptRef,
  first: Look,
  signal: AbortSignal,
): Promise<LaunchEnd | 'wait' | 'look'> {
  const { ledger } = parts;
  const look = isUnexplainedKill(first) ? await lookLater(parts, ref, signal) : first;
  const decision = decideEnd(look);
  if (decision.kind === 'wait') return 'wait';
  if (decision.kind === 'end') return decision.end;
  const closed = await ledger.close(ref, 'lost');
  if (closed === 'started') return 'look';
  return { kind: 'lost', at: look.now, started: false, detail: decision.detail };
}

/** An engine hears of a kill for want of memory by another way than of the end, and some time after it. */
const oomNewsMs = 500;

function isUnexplainedKill({ container, isOwner, cancelled, record }: Look): boolean {
  if (!isOwner || container.kind !== 'exited' || cancelled) return false;
  return container.exitCode === 137 && !container.outOfMemory && record?.reason !== 'time-limit';
}

async function lookLater(parts: WatchParts, ref: AttemptRef, signal: AbortSignal): Promise<Look> {
  await pause(oomNewsMs, signal);
  return await lookAt(parts, ref, signal);
}

interface Exits {
  /** Resolves when this container has ended, or could not be followed any further. */
  of(id: string | undefined): Promise<void>;
}

/** One question to the engine per container, however often it is waited for. */
function createExits(containers: Containers, signal: AbortSignal): Exits {
  const waits = new Map<string, Promise<void>>();
  const follow = async (id: string) => {
    try {
      await containers.ended(id, signal);
    } catch {
      await pause(pauseMs(0, retryPause), signal);
    } finally {
      waits.delete(id);
    }
  };
  return {
    async of(id) {
      if (id === undefined) return;
      const wait = waits.get(id) ?? follow(id);
      waits.set(id, wait);
      await wait;
    },
  };
}
