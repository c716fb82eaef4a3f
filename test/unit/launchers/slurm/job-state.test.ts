import { describe, expect, it } from 'vitest';
import { causeOf, explainReason, phaseOf } from '../../../../launchers/slurm/job-state.ts';

/** squeue(1) and sacct(1) of 24.11, "JOB STATE CODES"; flags beside the state with it. */
const states = {
  waiting: ['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_FED', 'REQUEUE_HOLD', 'SPECIAL_EXIT', 'RESV_DEL_HOLD'],
  running: ['RUNNING', 'COMPLETING', 'SUSPENDED', 'STOPPED', 'SIGNALING', 'STAGE_OUT', 'RESIZING', 'POWER_UP_NODE'],
  ended:
    'COMPLETED FAILED CANCELLED TIMEOUT OUT_OF_MEMORY NODE_FAIL PREEMPTED DEADLINE BOOT_FAIL REVOKED LAUNCH_FAILED RECONFIG_FAIL'.split(
      ' ',
    ),
} as const;

describe('the state of a job', () => {
  it.each(Object.entries(states).flatMap(([phase, words]) => words.map((word) => [word, phase] as const)))(
    '%s is %s',
    (word, phase) => {
      expect(phaseOf({ states: [word] })).toBe(phase);
    },
  );

  it('with a flag beside it is what the flag says', () => {
    expect(phaseOf({ states: ['FAILED', 'COMPLETING'] })).toBe('running');
    expect(phaseOf({ states: ['NODE_FAIL', 'REQUEUED'] })).toBe('waiting');
  });

  it('that nobody knows decides nothing', () => {
    expect(phaseOf({ states: ['TELEPORTED'] })).toBe('unknown');
    expect(phaseOf({ states: [] })).toBe('unknown');
  });

  it.each([
    ['TIMEOUT', 'time-limit'],
    ['OUT_OF_MEMORY', 'out-of-memory'],
    ['NODE_FAIL', 'node-failure'],
    ['PREEMPTED', 'preemption'],
    ['CANCELLED', 'cancelled'],
    ['COMPLETED', undefined],
    ['FAILED', undefined],
  ])('%s was ended by %s', (word, cause) => {
    expect(causeOf({ states: [word] })).toBe(cause);
  });
});

describe('the reason why a job waits', () => {
  it.each([
    ['None', 'scheduler', 'Slurm has not looked at it yet'],
    ['Priority', 'scheduler', 'Other jobs are before it in the queue (Priority)'],
    ['Resources', 'scheduler', 'Nodes with what it asks for are busy (Resources)'],
    ['JobHeldUser', 'user', 'It is held by its user (JobHeldUser)'],
    ['PartitionTimeLimit', 'user', 'It asks for more time than its partition gives (PartitionTimeLimit)'],
    ['AssocGrpCpuLimit', 'scheduler', 'Its account has reached a limit of the site (AssocGrpCpuLimit)'],
    ['QOSMaxJobsPerUserLimit', 'scheduler', 'Its quality of service has reached a limit (QOSMaxJobsPerUserLimit)'],
    ['PartitionDown', 'operator', 'Its partition takes no jobs now (PartitionDown)'],
    [
      'ReqNodeNotAvail, UnavailableNodes:c1',
      'operator',
      'Nodes it needs are down, drained or reserved (ReqNodeNotAvail, UnavailableNodes:c1)',
    ],
    ['SomethingNew', 'scheduler', 'Slurm lets it wait: SomethingNew'],
  ])('%s is told as a sentence with an owner', (reason, owner, cause) => {
    expect(explainReason(reason)).toMatchObject({ owner, cause });
    expect(explainReason(reason).next).not.toBe('');
  });
});
