import { describe, expect, it } from 'vitest';
import { renderBuildJob } from '../../../../launchers/slurm/job-build.ts';

describe('the job that builds an image', () => {
  it('keeps the exit code of its script in a file, whole or not at all', () => {
    const text = renderBuildJob("/a b/build'.sh", '/a b/exit', { time: '60', partition: '' });
    expect(text).toContain('#SBATCH --time=60\n');
    expect(text).not.toContain('partition');
    expect(text.trim().split('\n').slice(-3)).toEqual([
      `/bin/sh '/a b/build'\\''.sh'`,
      `echo $? >'/a b/exit.tmp'`,
      `mv '/a b/exit.tmp' '/a b/exit'`,
    ]);
  });

  it.each(['a b', 'x\n#SBATCH --uid=0', '"', '$(id)'])('has no option with the value %j', (value) => {
    expect(() => renderBuildJob('/x', '/y', { account: value })).toThrow(/Slurm option "account" cannot be/);
  });
});
