/**
 * What sbatch says when it does not take a job, and what that means. The texts are those of slurm_errno(3) and of the
 * checks of sbatch itself; which of them stands for what was tried on a cluster (test/fixtures/slurm).
 *
 * - `user`: what was asked for is refused however often it is asked. The execution ends with Slurm's words.
 * - `limit`: there is no room for this one now (a limit of the account, nodes or a partition that are out). It waits.
 * - `site`: Slurm itself is out. Everything of this cluster waits.
 * - `unknown`: it may have been taken without telling.
 */

export type RefusalKind = 'user' | 'limit' | 'site' | 'unknown';

/** The first that is among the words counts: what was said beside the error tells more than the error. */
const refusals: readonly (readonly [RefusalKind, RegExp])[] = [
  // SLURM_PROTOCOL_SOCKET_IMPL_TIMEOUT, SLURM_PROTOCOL_SOCKET_ZERO_BYTES_SENT, SLURM_UNEXPECTED_MSG_ERROR
  ['unknown', /timed out|timeout|connection reset|unexpected (?:message|eof)|zero bytes were transmitted/i],

  // The reason beside ESLURM_ACCOUNTING_POLICY, as squeue(1) lists them: how many at once, or how large one may be.
  ['limit', /\b(?:Assoc|QOS)\w*Submit\w*Limit|\bMaxSubmitJobs/],
  ['user', /\b(?:Assoc|QOS)\w*(?:PerJob|PerNode|MinCpu|MinGRES|MinMemory|WallDuration)\w*/],
  ['limit', /\b(?:Assoc|QOS)(?:Grp|Max)\w+/],
  // Of the checks of sbatch beside ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE: no node there is that large.
  ['user', /CPU count per node can not be satisfied|Memory specification can not be satisfied/i],

  // ESLURM_INVALID_PARTITION_NAME, _ACCOUNT, _QOS, _TIME_LIMIT, _FEATURE, _GRES, _TRES, _RESERVATION_*, _LICENSES, _ARRAY…
  ['user', /invalid partition(?: name)? specified/i],
  ['user', /invalid (?:bank )?account|account\/partition combination|job has invalid account/i],
  ['user', /invalid qos|job has invalid qos/i],
  ['user', /requested time limit (?:is invalid|exceeds)|invalid time (?:limit )?specif/i],
  ['user', /invalid feature specification/i],
  ['user', /invalid (?:generic resource|trackable resource|gres|tres)/i],
  ['user', /requested reservation is invalid|access denied to requested reservation/i],
  ['user', /invalid (?:license|wckey|job array|task distribution|node name|user id)/i],
  // ESLURM_TOO_MANY_REQUESTED_NODES, _CPUS, ESLURM_BAD_TASK_COUNT, ESLURM_INVALID_TASK_MEMORY, _NODES_NOT_IN_PARTITION
  ['user', /node count specification invalid|task count specification invalid/i],
  ['user', /more processors requested than permitted|requested more tasks than/i],
  ['user', /memory required by task is not available|requested nodes not in this partition/i],
  // ESLURM_JOB_MISSING_REQUIRED_PARTITION_GROUP, ESLURM_ACCESS_DENIED
  ['user', /group not permitted to use this partition|access\/permission denied/i],

  // ESLURM_ACCOUNTING_POLICY without a reason, MaxJobCount, and what is out: ESLURM_REQUESTED_NODE_CONFIG_UNAVAILABLE,
  // _PART_CONFIG_UNAVAILABLE, ESLURM_NODE_NOT_AVAIL, ESLURM_PARTITION_NOT_AVAIL, _DOWN, ESLURM_NODES_BUSY, _NOT_USABLE
  ['limit', /violates accounting|job submit limit|MaxJobCount|maximum number of jobs|unable to accept job/i],
  ['limit', /requested (?:node|partition) configuration (?:is )?not available/i],
  ['limit', /required (?:node|partition) not available|requested nodes are busy|reservation not usable now/i],
  ['limit', /requested reservation is in use|partition (?:is )?(?:down|inactive|drained)/i],

  // SLURMCTLD_COMMUNICATIONS_*, ESLURM_IN_STANDBY_MODE, SLURM_PROTOCOL_AUTHENTICATION_ERROR, EAGAIN
  ['site', /unable to contact slurm|communication (?:connection|shutdown) failure|slurm_load/i],
  ['site', /standby mode|slurmctld.*(?:down|not responding)|resource temporarily unavailable|try again/i],
  ['site', /authentication (?:error|credential)|munge|failed to connect to authentication/i],
  ['site', /i\/o error writing script|unable to allocate resources: .*(?:temporarily|backup)/i],
  ['site', /database .*(?:not|down)|accounting storage .*(?:down|unavailable)/i],
];

/** Nothing for words that say none of these: a failure that is tried again a few times. */
export function classifyRefusal(words: string): RefusalKind | undefined {
  return refusals.find(([, pattern]) => pattern.test(words))?.[0];
}
