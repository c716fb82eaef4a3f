/** How Slurm is asked. */

import { describe, expect, it } from 'vitest';
import { showPartitionsCommand } from '../../../../launchers/slurm/commands/scontrol.ts';
import { sinfoCommand } from '../../../../launchers/slurm/commands/sinfo.ts';
import { squeueCommand } from '../../../../launchers/slurm/commands/squeue.ts';

describe('a question to Slurm', () => {
  it.each([
    ['squeue', squeueCommand(['alice']).argv],
    ['scontrol show partition', showPartitionsCommand().argv],
    ['sinfo', sinfoCommand().argv],
  ])('is by %s about all partitions, also those that are hidden from whoever asks', (_, argv) => {
    expect(argv).toContain('--all');
  });
});
