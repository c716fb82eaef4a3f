/**
 * Why a job waits, or Slurm did not do what it was asked: a sentence, who can do something about it, and what. Pure;
 * every reason that Slurm has a word for has a place here.
 */

import { UnavailableError, UnknownOutcomeError } from '../../src/errors.ts';
import type { JobRecord } from './job-record.ts';
import { type Explanation, explainState } from './job-state.ts';

const scheduler = (cause: string, next = 'It starts by itself; nothing has to be done'): Explanation => ({
  cause,
  owner: 'scheduler',
  next,
});
const user = (cause: string, next: string): Explanation => ({ cause, owner: 'user', next });
const operator = (cause: string, next = 'Ask an administrator of the cluster'): Explanation => ({
  cause,
  owner: 'operator',
  next,
});

const whenOthersEnd = 'It starts when other jobs that count have ended';

/**
 * By squeue(1) "JOB REASON CODES" and what the library of each version says
 * (`test/fixtures/slurm/<version>/reasons.txt`); the first that fits counts.
 */
const reasons: readonly (readonly [RegExp, Explanation])[] = [
  [/^None$|^WaitingForScheduling$/, scheduler('Slurm has not looked at it yet')],
  [/^Priority$/, scheduler('Other jobs are before it in the queue')],
  [/^Resources$/, scheduler('Nodes with what it asks for are busy')],
  [/^SchedDefer$/, scheduler('Slurm looks at it with the next round of scheduling')],
  [/^Cleaning$/, scheduler('Its last start is still being cleaned up')],
  [/^Prolog$/, scheduler('Its nodes are running the prolog of the site')],
  [/^BeginTime$|^NodeStart$/, scheduler('Its start is planned for later')],
  [/^Dependency$/, scheduler('It waits for another job')],
  [/^DependencyNeverSatisfied$/, user('It waits for a job that did not end as it should', 'Cancel it')],
  [/^Licenses$/, scheduler('Licences it asks for are in use')],
  [/^NvidiaImexChannels$/, scheduler('Channels between GPUs that it needs are in use')],
  [/^MpiPortsBusy$|^MPIPortsBusy$/i, scheduler('Ports for MPI that it needs are in use')],
  [
    /^MaxPoweredUpNodes$|PoweredNodes|^PowerNotAvail$|^PowerReserved$/i,
    scheduler('Not enough power is free for more nodes'),
  ],
  [/^BurstBuffer(?:Resources|StageIn)$/, scheduler('Its burst buffer is being made ready')],
  [/^BurstBufferOperation$/, operator('Its burst buffer failed')],
  [/^JobArrayTaskLimit$/, scheduler('As many elements of its array run as may at once')],
  [/^Reservation$/, scheduler('It waits for its reservation to begin')],
  [
    /^ReservationDeleted$|^ReservationInvalid$|^InvalidReservation$/,
    user('Its reservation is not there any more', 'Name another one'),
  ],
  [/^FedJobLock$/, scheduler('Clusters of the federation are deciding which of them runs it')],
  [/^JobHeldUser$/, user('It is held by its user', 'Release it with scontrol release')],
  [/^JobHeldAdmin$/, operator('It is held by an administrator of the cluster', 'Ask them why')],
  [/^JobHoldMaxRequeue$/, operator('Slurm has put it back as often as it does, and holds it')],
  [
    /^PartitionTimeLimit$/,
    user('It asks for more time than its partition gives', 'Ask for a shorter walltime or another partition'),
  ],
  [
    /^(?:Assoc|QOS)MaxWallDurationPerJobLimit$/,
    user('It asks for more time than it may have', 'Ask for a shorter walltime or another partition'),
  ],
  [/^PartitionNodeLimit$/, user('It asks for more nodes than its partition gives', 'Ask for fewer nodes')],
  [/^PartitionConfig$|^BadConstraints$|^Constraints$/, user('No node has what it asks for', 'Ask for less')],
  [/^MaxMemPerLimit$/, user('It asks for more memory than one may have there', 'Ask for less memory')],
  [/^(?:Assoc|QOS)Max\w+Per(?:Job|Node)(?:Limit)?$/, user('It asks for more than one job may have', 'Ask for less')],
  [/^QOSMin\w+$/, user('It asks for less than its quality of service wants', 'Ask for more, or name another one')],
  [/^InvalidAccount$|^AccountNotAllowed$/, user('Slurm does not take its account there', 'Name another account')],
  [/^InvalidQOS$|^QOSNotAllowed$/, user('Its quality of service is not allowed', 'Name another one')],
  [/^QOSUsageThreshold$/, user('Its quality of service is used up', 'Name another one, or ask when it is renewed')],
  [
    /^(?:Assoc|QOS)Grp\w+Minutes$|^(?:Assoc|QOS)Grp\w*Wall\w*$/,
    operator('The time its account was given is used up', 'Ask for more'),
  ],
  [
    /^Assoc(?:Grp|Max)\w+$|^Association\w+Limit$|^Max\w+Per(?:Account|User)$|^AccountingPolicy$/,
    scheduler('Its account has reached a limit of the site', whenOthersEnd),
  ],
  [/^QOS\w+$/, scheduler('Its quality of service has reached a limit', whenOthersEnd)],
  [/^PartitionDown$|^PartitionInactive$/, operator('Its partition takes no jobs now', 'Ask when it is back')],
  [/^ReqNodeNotAvail/, operator('Nodes it needs are down, drained or reserved', 'Ask when they are back')],
  [
    /^NodeDown$|^FrontEndDown$|^Nodes? .*(?:DOWN|DRAINED)/i,
    operator('Nodes it needs are down', 'Ask when they are back'),
  ],
  [/^Block(?:MaxError|FreeAction)$/, operator('The block of nodes it needs has a fault')],
  [/^SystemFailure$/, operator('Slurm itself failed')],
  [/launch.?fail/i, operator('A node could not start it, so Slurm holds it')],
  [/^OutOfMemory$/, user('It used more memory than its limit', 'Ask for more memory')],
  [/^TimeLimit$|^DeadLine$|^InactiveLimit$/, user('Its time was over', 'Ask for more time')],
  [/^NonZeroExitCode$|^RaisedSignal/, user('It ended with an error', 'Read its log')],
  [/^Inva(?:li|il)dReason$/, operator('Slurm has no word for why it waits')],
];

export function explainReason(reason: string): Explanation {
  const known = reasons.find(([pattern]) => pattern.test(reason))?.[1];
  if (!known) return scheduler(`Slurm lets it wait: ${reason || 'no reason given'}`);
  return reason === 'None' ? known : { ...known, cause: `${known.cause} (${reason})` };
}

/** Whether there is a sentence for the reason itself. */
export function isKnownReason(reason: string): boolean {
  return reasons.some(([pattern]) => pattern.test(reason));
}

/** Why a job has not started. In a state of its own, the reason is that of an earlier one. */
export function explainWaiting(job: Pick<JobRecord, 'states' | 'reason'>): Explanation {
  const { phase, ...state } = explainState(job);
  const isPlain = job.states.length === 1 && job.states[0]?.toUpperCase() === 'PENDING';
  if (phase === 'waiting' && isPlain) return explainReason(job.reason);
  const { cause, owner, next } = state;
  return { cause, owner, next };
}

/** Of a job that runs, and whose program does not yet. */
export function explainStarting({ nodes }: Pick<JobRecord, 'nodes'>): Explanation {
  return scheduler(`Its job runs on ${nodes || 'its nodes'}, and its container is being started`);
}

/** Of whom it is learned what becomes of a job: Slurm, its accounting, or what the job itself has written. */
export type Asked = 'squeue' | 'sacct' | 'files';

const silences: Readonly<Record<Asked, string>> = {
  squeue: 'Slurm does not answer',
  sacct: 'The accounting of Slurm does not answer',
  files: 'What it has written cannot be read',
};

/** Why nothing is known of a job: who was asked did not answer. */
export function explainSilence(asked: Asked, error: Error): Explanation {
  const next = 'It is asked again by itself; what runs goes on';
  // Whatever else goes wrong there, somebody has answered.
  const isCutOff = error instanceof UnavailableError || error instanceof UnknownOutcomeError;
  if (isCutOff && error.code.startsWith('host.'))
    return { cause: `The cluster cannot be reached: ${error.message}`, owner: 'network', next };
  return { cause: `${silences[asked]}: ${error.message}`, owner: 'operator', next };
}

/** Slurm answers, and asks to be asked less often. */
export function explainSlowing(said: string): string {
  return `Slurm limits how often it is asked, so this may be old (${said})`;
}
