import { describe, expect, it } from 'vitest';
import { cancelCommand, terminateCommand } from '../../../../launchers/slurm/commands/scancel.ts';

const result = (exitCode: number | null, stderr: string) => ({ exitCode, signal: null, stdout: '', stderr });

describe.each([
  ['cancel', cancelCommand],
  ['terminate', terminateCommand],
])('scancel, to %s', (_, command) => {
  const { parse } = command(['7']);

  it.each([
    ['has ended', 1, 'scancel: error: Kill job error on job id 7: Invalid job id specified'],
    ['is ending', 1, 'scancel: error: Kill job error on job id 7: Job/step already completing or completed'],
    ['ended while it looked', 229, ''],
    ['was forgotten while it looked', 225, ''],
  ])('takes it for well that a job %s', (_what, exitCode, stderr) => {
    expect(() => parse(result(exitCode, stderr))).not.toThrow();
  });

  it.each([
    [1, 'scancel: error: Kill job error on job id 7: Access/permission denied'],
    [1, ''],
    [229, 'slurm_load_jobs error: Unable to contact slurm controller'],
    [null, ''],
  ])('tells any other trouble: %s, %j', (exitCode, stderr) => {
    expect(() => parse(result(exitCode, stderr))).toThrow('scancel');
  });
});
