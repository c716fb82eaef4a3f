/**
 * What a job's state means for an attempt, and for people. Pure; every state and flag of Slurm's has a place here. Why a
 * job waits is in `job-reason.ts`.
 */

import type { JobRecord } from './job-record.ts';

/**
 * `waiting`: nothing of it runs. `running`: it may. `ended`: nothing of it runs any more, and nothing will.
 * `unknown`: a word that this version does not know, or that says nothing of what runs; nothing is decided by it.
 */
export type JobPhase = 'waiting' | 'running' | 'ended' | 'unknown';

/** What Slurm ended it for, where it was not the program itself. */
export type SlurmCause = 'time-limit' | 'out-of-memory' | 'node-failure' | 'preemption' | 'cancelled';

/** In words: what it is, who can do something about it, and what comes next or would help. */
export interface Explanation {
  readonly cause: string;
  readonly owner: 'user' | 'operator' | 'scheduler' | 'network';
  readonly next: string;
}

export interface StateMeaning extends Explanation {
  readonly phase: JobPhase;
  readonly ended?: SlurmCause;
}

const byItself = 'It starts by itself; nothing has to be done';
const watched = 'It is followed to its end';
const over = 'Read its log and its exit code';

function waiting(cause: string, owner: Explanation['owner'] = 'scheduler', next = byItself): StateMeaning {
  return { phase: 'waiting', cause, owner, next };
}
function running(cause: string, owner: Explanation['owner'] = 'scheduler', next = watched): StateMeaning {
  return { phase: 'running', cause, owner, next };
}
function undecided(cause: string, owner: Explanation['owner'], next: string): StateMeaning {
  return { phase: 'unknown', cause, owner, next };
}
function ended(cause: string, owner: Explanation['owner'], next: string, by?: SlurmCause): StateMeaning {
  return { phase: 'ended', cause, owner, next, ...(by === undefined ? {} : { ended: by }) };
}

const askSite = 'Ask an administrator of the cluster';

/**
 * By slurm.h's job_states and its flags, squeue(1) "JOB STATE CODES", and what the library of each version says
 * (`test/fixtures/slurm/<version>/states.txt`). A job may have several words: the first of this table counts. What was put
 * back, or is about to be, stands above how its last start ended; what is not over yet stands above how it will have.
 */
const meanings: Readonly<Record<string, StateMeaning>> = {
  REQUEUED: waiting('Slurm has put it back into the queue'),
  REQUEUE_FED: waiting('Another cluster of the federation has put it back into the queue'),
  REQUEUE_HOLD: waiting('Slurm has put it back into the queue and holds it', 'operator', askSite),
  SPECIAL_EXIT: waiting('Slurm has put it back and holds it because of its exit code', 'operator', askSite),
  RESV_DEL_HOLD: waiting('It is held, since its reservation was deleted', 'operator', 'Ask for another reservation'),
  PENDING: waiting('It waits in the queue of Slurm'),
  CONFIGURING: waiting('Its nodes are being made ready'),
  POWER_UP_NODE: waiting('Its nodes are being switched on'),
  EXPEDITING: running('It has ended, and Slurm sees whether to start it again at once'),
  COMPLETING: running('It has ended, and its node is cleaning up after it'),
  STAGE_OUT: running('It has ended, and its data is being copied out of the burst buffer'),
  RUNNING: running('It runs'),
  SUSPENDED: running('Slurm has suspended it', 'operator', 'It goes on when Slurm lets it'),
  STOPPED: running('It was stopped by a signal and keeps its nodes', 'operator', 'It goes on when it is told to'),
  SIGNALING: running('A signal is on its way to it'),
  RESIZING: running('Its size is being changed'),
  UPDATE_DB: running('Its start is being told to the accounting'),
  // Whatever is said beside it: its sibling may be about to start, and is not seen here.
  REVOKED: undecided('Another cluster of the federation runs it', 'operator', watched),
  NODE_FAIL: ended('A node failed under it', 'operator', 'Send the message again', 'node-failure'),
  BOOT_FAIL: ended('Its node could not be started', 'operator', 'Send the message again', 'node-failure'),
  LAUNCH_FAILED: ended('Its node could not start it', 'operator', askSite, 'node-failure'),
  RECONFIG_FAIL: ended('Its nodes could not be set up for it', 'operator', askSite, 'node-failure'),
  GETENV_FAILED: ended('The environment of its user could not be read', 'operator', askSite),
  PREEMPTED: ended('A job of higher priority took its place', 'scheduler', 'Send the message again', 'preemption'),
  OUT_OF_MEMORY: ended('It used more memory than its limit', 'user', 'Ask for more memory', 'out-of-memory'),
  TIMEOUT: ended('It ran longer than its walltime', 'user', 'Ask for more time', 'time-limit'),
  DEADLINE: ended('It could not end before its deadline', 'user', 'Ask for less time', 'time-limit'),
  CANCELLED: ended('It was cancelled', 'user', 'Send the message again, if that was a mistake', 'cancelled'),
  FAILED: ended('It ended with an exit code other than 0, or by a signal', 'user', over),
  COMPLETED: ended('It ended', 'user', over),
};

export const knownStates: readonly string[] = Object.keys(meanings);

export function explainState({ states }: Pick<JobRecord, 'states'>): StateMeaning {
  const words = states.map((word) => word.toUpperCase());
  const first = knownStates.find((state) => words.includes(state));
  const meaning = first === undefined ? undefined : meanings[first];
  if (meaning) return meaning;
  const said = states.length === 0 ? 'no state at all' : `a state we do not know, ${states.join('+')}`;
  const next = 'It is asked for again; whether it runs is not known meanwhile';
  return { phase: 'unknown', cause: `Slurm says ${said}`, owner: 'operator', next };
}

export function phaseOf(job: Pick<JobRecord, 'states'>): JobPhase {
  return explainState(job).phase;
}

/** It keeps its nodes, and its program stands still. */
export function isHalted({ states }: Pick<JobRecord, 'states'>): boolean {
  return states.some((word) => /^(?:SUSPENDED|STOPPED)$/i.test(word));
}

export function causeOf({ states }: Pick<JobRecord, 'states'>): SlurmCause | undefined {
  const ends = states.map((word) => meanings[word.toUpperCase()]?.ended).filter((by) => by !== undefined);
  // Beside another word it only says how Slurm went about it.
  return ends.find((by) => by !== 'cancelled') ?? ends[0];
}
