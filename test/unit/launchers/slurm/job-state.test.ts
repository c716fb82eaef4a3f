import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  explainReason,
  explainSilence,
  explainWaiting,
  isKnownReason,
} from '../../../../launchers/slurm/job-reason.ts';
import { causeOf, explainState, phaseOf } from '../../../../launchers/slurm/job-state.ts';
import { ForbiddenError, LauncherError, UnavailableError, UnknownOutcomeError } from '../../../../src/errors.ts';
import { packageRoot } from '../../../support/package-root.ts';

const versions = ['22.05', '24.11', '26.05'] as const;
/** Every word that the library of each version has, see test/fixtures/slurm/README.md. */
const wordsOf = (name: string): readonly string[] => [
  ...new Set(
    versions.flatMap((version) =>
      readFileSync(join(packageRoot, 'test/fixtures/slurm', version, `${name}.txt`), 'utf8')
        .trim()
        .split('\n'),
    ),
  ),
];

/** squeue(1) and sacct(1) of 24.11, "JOB STATE CODES"; flags beside the state with it. */
const states = {
  waiting: 'PENDING CONFIGURING REQUEUED REQUEUE_FED REQUEUE_HOLD SPECIAL_EXIT RESV_DEL_HOLD POWER_UP_NODE'.split(' '),
  running: 'RUNNING COMPLETING SUSPENDED STOPPED SIGNALING STAGE_OUT RESIZING EXPEDITING'.split(' '),
  ended:
    'COMPLETED FAILED CANCELLED TIMEOUT OUT_OF_MEMORY NODE_FAIL PREEMPTED DEADLINE BOOT_FAIL LAUNCH_FAILED RECONFIG_FAIL'.split(
      ' ',
    ),
  unknown: ['REVOKED'],
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
    expect(phaseOf({ states: ['CANCELLED', 'REVOKED'] })).toBe('unknown');
  });

  it.each(wordsOf('states'))('%s has a phase, a sentence, an owner and a next step', (word) => {
    const { phase, cause, owner, next } = explainState({ states: [word] });
    // Of one that was revoked it is known what it means, and not what its sibling does.
    if (word !== 'REVOKED') expect(phase).not.toBe('unknown');
    expect(cause).toMatch(/^[A-Z](?!.*we do not know)[^.]+$/);
    expect(['user', 'operator', 'scheduler', 'network']).toContain(owner);
    expect(next).not.toBe('');
  });

  it('that nobody knows is said to be unknown', () => {
    expect(explainState({ states: ['TELEPORTED'] })).toMatchObject({
      phase: 'unknown',
      cause: 'Slurm says a state we do not know, TELEPORTED',
      owner: 'operator',
    });
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
  it.each(wordsOf('reasons'))('%s has a sentence of its own, an owner and a next step', (reason) => {
    expect(isKnownReason(reason)).toBe(true);
    const { cause, owner, next } = explainReason(reason);
    expect(cause).toMatch(/^[A-Z][^.]+$/);
    expect(['user', 'operator', 'scheduler']).toContain(owner);
    expect(next).not.toBe('');
  });

  it('is that of the state where the state says more', () => {
    expect(explainWaiting({ states: ['PENDING'], reason: 'Priority' }).cause).toBe(
      'Other jobs are before it in the queue (Priority)',
    );
    expect(explainWaiting({ states: ['RUNNING', 'CONFIGURING'], reason: 'None' }).cause).toBe(
      'Its nodes are being made ready',
    );
  });

  it('is the network, or Slurm itself, where nothing was answered', () => {
    const far = new UnavailableError('host.unavailable', 'Host login cannot be reached: it is away');
    expect(explainSilence('squeue', far)).toMatchObject({ owner: 'network' });
    const refused = new ForbiddenError('host.denied', 'Host login refuses the key of "alice"');
    expect(explainSilence('squeue', refused)).toMatchObject({ owner: 'operator' });
    const broken = new LauncherError('host.file_failed', 'File "start" on login: EIO');
    expect(explainSilence('files', broken)).toMatchObject({
      owner: 'operator',
      cause: 'What it has written cannot be read: File "start" on login: EIO',
    });
    const cutOff = new UnknownOutcomeError('host.unknown_outcome', 'squeue was cut off');
    expect(explainSilence('squeue', cutOff)).toMatchObject({ owner: 'network' });
    const down = new LauncherError('host.command_failed', 'squeue ended with 1: Unable to contact slurm controller');
    expect(explainSilence('squeue', down)).toMatchObject({
      owner: 'operator',
      cause: 'Slurm does not answer: squeue ended with 1: Unable to contact slurm controller',
    });
  });

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
