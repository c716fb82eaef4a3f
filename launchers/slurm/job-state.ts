/** What a job's state and reason mean for an attempt, and for people. Pure; every word of Slurm's has a place here. */

import type { JobRecord } from './job-record.ts';

/**
 * `waiting`: nothing of it runs. `running`: it may. `ended`: nothing of it runs any more, and nothing will.
 * `unknown`: a word that this version does not know; nothing is decided by it.
 */
export type JobPhase = 'waiting' | 'running' | 'ended' | 'unknown';

/** By slurm.h's job_states and its flags, squeue(1) "JOB STATE CODES". The first that is among the job's words counts. */
const phases: readonly (readonly [JobPhase, readonly string[]])[] = [
  // It was put back, or is about to be; its name is free for another run of the same script.
  ['waiting', ['REQUEUED', 'REQUEUE_FED', 'REQUEUE_HOLD', 'SPECIAL_EXIT', 'RESV_DEL_HOLD', 'PENDING', 'CONFIGURING']],
  ['running', ['COMPLETING', 'STAGE_OUT', 'RUNNING', 'SUSPENDED', 'STOPPED', 'SIGNALING', 'RESIZING', 'POWER_UP_NODE']],
  [
    'ended',
    [
      'COMPLETED',
      'FAILED',
      'CANCELLED',
      'TIMEOUT',
      'OUT_OF_MEMORY',
      'NODE_FAIL',
      'PREEMPTED',
      'DEADLINE',
      'BOOT_FAIL',
      'REVOKED',
      'LAUNCH_FAILED',
      'RECONFIG_FAIL',
    ],
  ],
];

export function phaseOf({ states }: Pick<JobRecord, 'states'>): JobPhase {
  const words = states.map((word) => word.toUpperCase());
  return phases.find(([, known]) => known.some((word) => words.includes(word)))?.[0] ?? 'unknown';
}

/** What Slurm ended it for, where it was not the program itself. */
export type SlurmCause = 'time-limit' | 'out-of-memory' | 'node-failure' | 'preemption' | 'cancelled';

const causes: readonly (readonly [string, SlurmCause])[] = [
  ['TIMEOUT', 'time-limit'],
  ['DEADLINE', 'time-limit'],
  ['OUT_OF_MEMORY', 'out-of-memory'],
  ['NODE_FAIL', 'node-failure'],
  ['BOOT_FAIL', 'node-failure'],
  ['LAUNCH_FAILED', 'node-failure'],
  ['PREEMPTED', 'preemption'],
  ['CANCELLED', 'cancelled'],
];

export function causeOf({ states }: Pick<JobRecord, 'states'>): SlurmCause | undefined {
  return causes.find(([word]) => states.includes(word))?.[1];
}

/** Why a job waits: a sentence, who can do something about it, and what. */
export interface QueueReason {
  readonly cause: string;
  readonly owner: 'user' | 'operator' | 'scheduler';
  readonly next: string;
}

const scheduler = (cause: string, next = 'It starts by itself; nothing has to be done'): QueueReason => ({
  cause,
  owner: 'scheduler',
  next,
});
const user = (cause: string, next: string): QueueReason => ({ cause, owner: 'user', next });
const operator = (cause: string, next: string): QueueReason => ({ cause, owner: 'operator', next });

/** By squeue(1) "JOB REASON CODES", or by how they begin. */
const reasons: readonly (readonly [RegExp, QueueReason])[] = [
  [/^None$|^Cleaning$|^Prolog$/, scheduler('Slurm has not looked at it yet')],
  [/^Priority$/, scheduler('Other jobs are before it in the queue')],
  [/^Resources$/, scheduler('Nodes with what it asks for are busy')],
  [/^BeginTime$|^NodeStart$/, scheduler('Its start is planned for later')],
  [/^Dependency$|^DependencyNeverSatisfied$/, scheduler('It waits for another job')],
  [/^Licenses$/, scheduler('Licences it asks for are in use')],
  [/^JobArrayTaskLimit$/, scheduler('As many elements of its array run as may at once')],
  [/^Reservation$/, scheduler('It waits for its reservation to begin')],
  [/^JobHeldUser$/, user('It is held by its user', 'Release it with scontrol release')],
  [/^JobHeldAdmin$/, operator('It is held by an administrator of the cluster', 'Ask them why')],
  [
    /^PartitionTimeLimit$|^AssocMaxWallDurationPerJobLimit$|^QOSMaxWallDurationPerJobLimit$/,
    user('It asks for more time than its partition gives', 'Ask for a shorter walltime or another partition'),
  ],
  [/^PartitionNodeLimit$/, user('It asks for more nodes than its partition gives', 'Ask for fewer nodes')],
  [/^PartitionConfig$|^BadConstraints$|^FrontEndDown$/, user('No node has what it asks for', 'Ask for less')],
  [/^InvalidAccount$/, user('Slurm does not know its account any more', 'Name another account')],
  [/^InvalidQOS$|^QOSNotAllowed$/, user('Its quality of service is not allowed', 'Name another one')],
  [
    /^(?:Max\w+PerAccount|Assoc\w*Limit|AssocGrp\w+|AssocMax\w+)$/,
    scheduler('Its account has reached a limit of the site', 'It starts when other jobs of the account have ended'),
  ],
  [
    /^QOS\w+$/,
    scheduler('Its quality of service has reached a limit', 'It starts when other jobs under it have ended'),
  ],
  [/^PartitionDown$|^PartitionInactive$/, operator('Its partition takes no jobs now', 'Ask when it is back')],
  [/^ReqNodeNotAvail/, operator('Nodes it needs are down, drained or reserved', 'Ask when they are back')],
  [/^NodeDown$|^Nodes? .*(?:DOWN|DRAINED)/i, operator('Nodes it needs are down', 'Ask when they are back')],
  [/launch failed/i, operator('A node could not start it, so Slurm holds it', 'Ask an administrator of the cluster')],
];

export function explainReason(reason: string): QueueReason {
  const known = reasons.find(([pattern]) => pattern.test(reason))?.[1];
  if (!known) return scheduler(`Slurm lets it wait: ${reason || 'no reason given'}`);
  return reason === 'None' ? known : { ...known, cause: `${known.cause} (${reason})` };
}
