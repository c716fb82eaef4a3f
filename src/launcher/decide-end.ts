/**
 * What became of an attempt, decided from what can be seen of it. Pure, and the same for every launcher with a ledger on
 * its own file system.
 *
 * The owner of the start marker decides, whichever container the handle names: one that lost the race says nothing about
 * the execution. Its end record counts for all that the engine does not know better; the engine knows the exit code and
 * whether memory ran out, as the record lies where the user's program can write.
 */

import { optional } from '../lib/optional.ts';
import type { EndRecord } from './end-record.ts';
import type { LaunchEnd } from './launcher.ts';
import type { StartMarker } from './ledger.ts';

/** Exit code of the helper when it is not the one to start. */
export const notTheOneExitCode = 113;
/** Exit code of the helper when it could not use the run directory. */
const runDirectoryExitCode = 114;
/** 128 + SIGKILL. */
export const killedExitCode = 137;

/** The marker owner's container, where there is one; else whichever there is. */
export type ContainerState =
  | { readonly kind: 'gone' }
  /** Made, and never started. */
  | { readonly kind: 'created' }
  | { readonly kind: 'running' }
  | {
      readonly kind: 'exited';
      readonly exitCode: number;
      readonly outOfMemory: boolean;
      /** Nothing given where the engine does not know: it, or the host, died meanwhile. */
      readonly at?: Date;
      /** What the engine has to say about it, or nothing. */
      readonly detail: string;
    };

/** The container has to be looked at first and the record last: what is gone writes no more. */
export interface Observation {
  readonly container: ContainerState;
  /** Whether the first process of `container` holds the marker. */
  readonly isOwner: boolean;
  readonly marker: StartMarker;
  readonly record?: EndRecord;
  /** Somebody asked for its end after it had started. */
  readonly cancelled: boolean;
  readonly now: Date;
}

export type Decision =
  | { readonly kind: 'end'; readonly end: LaunchEnd }
  /** Nothing has been decided yet: it runs, or is about to. */
  | { readonly kind: 'wait' }
  /** Nothing ran and nothing is there that would: close the marker. If that succeeds, it is lost for this reason. */
  | { readonly kind: 'close'; readonly detail: string };

export function decideEnd(seen: Observation): Decision {
  switch (seen.marker.kind) {
    case 'free':
      return decideUnstarted(seen.container);
    case 'closed':
      return { kind: 'end', end: endOfClosed(seen.marker.reason, seen.now) };
    case 'started':
      return seen.record === undefined ? decideWithoutRecord(seen) : decideByRecord(seen, seen.record);
  }
}

/** The end of an attempt whose marker somebody closed. */
export function endOfClosed(reason: string, at: Date): LaunchEnd {
  if (reason === 'cancelled') return { kind: 'cancelled', at };
  return { kind: 'lost', at, started: false, detail: `Its start marker was closed before it started: ${reason}` };
}

function decideUnstarted(container: ContainerState): Decision {
  switch (container.kind) {
    case 'running':
      return { kind: 'wait' };
    case 'created':
      return { kind: 'close', detail: 'Its container was made and never started' };
    case 'gone':
      return { kind: 'close', detail: 'Its container vanished before the program started' };
    case 'exited':
      return { kind: 'close', detail: `Its container ended before the program started: ${describe(container)}` };
  }
}

function decideByRecord(seen: Observation, record: EndRecord): Decision {
  // The engine is about to say how it ended, and only it knows whether a kill was for memory.
  if (seen.isOwner && seen.container.kind === 'running') return { kind: 'wait' };
  const exited = ownersExit(seen);
  const at = record.finishedAt;
  if (record.reason === 'exec-failed') {
    return end({ kind: 'not-started', at, exitCode: record.exitCode, detail: record.detail });
  }
  const exitCode = exited === undefined || exited.exitCode === notTheOneExitCode ? record.exitCode : exited.exitCode;
  if (record.reason === 'time-limit') return end(killedByTime(at, exitCode));
  if (exited?.outOfMemory && exitCode === killedExitCode) return end(killedByMemory(at, exitCode));
  return end({ kind: seen.cancelled ? 'cancelled' : 'exited', at, exitCode });
}

/** The owner has not said how it ended: it runs on, or was killed, or its host died. */
function decideWithoutRecord(seen: Observation): Decision {
  if (seen.isOwner && seen.container.kind === 'running') return { kind: 'wait' };
  const exited = ownersExit(seen);
  const at = exited?.at ?? seen.now;
  if (exited?.outOfMemory) return end(killedByMemory(at, exited.exitCode));
  if (exited?.exitCode === runDirectoryExitCode) {
    return end({ kind: 'not-started', at, exitCode: exited.exitCode, detail: 'The run directory could not be used' });
  }
  const exitCode = exited && isCredible(exited) ? exited.exitCode : undefined;
  if (seen.cancelled) return end({ kind: 'cancelled', at, ...optional('exitCode', exitCode) });
  if (exitCode !== undefined) return end({ kind: 'exited', at, exitCode });
  const what = exited
    ? `Its container ended without an end record: ${describe(exited)}`
    : 'Its container vanished while it ran';
  return end({ kind: 'lost', at, started: true, detail: what });
}

type Exited = Extract<ContainerState, { kind: 'exited' }>;

function ownersExit({ container, isOwner }: Observation): Exited | undefined {
  return isOwner && container.kind === 'exited' ? container : undefined;
}

/**
 * Whether an exit code without an end record says anything. 0 and 255 are what an engine puts where it does not know,
 * after it or its host went down; the helper's own code belongs to a second start of the same container.
 */
function isCredible({ at, exitCode }: Exited): boolean {
  return at !== undefined && exitCode > 0 && exitCode < 255 && exitCode !== notTheOneExitCode;
}

function killedByTime(at: Date, exitCode: number): LaunchEnd {
  return { kind: 'killed', by: 'time-limit', at, exitCode, detail: 'It ran longer than its time limit' };
}

function killedByMemory(at: Date, exitCode: number): LaunchEnd {
  return { kind: 'killed', by: 'out-of-memory', at, exitCode, detail: 'It used more memory than its limit' };
}

function describe({ exitCode, detail }: Exited): string {
  return detail === '' ? `exit code ${exitCode}` : `exit code ${exitCode}, ${detail}`;
}

function end(launchEnd: LaunchEnd): Decision {
  return { kind: 'end', end: launchEnd };
}
