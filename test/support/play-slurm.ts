/** What Slurm answers about jobs, as a test wants it, and how often it was asked. */

import type { Command } from '../../launchers/host/command.ts';
import type { Host } from '../../launchers/host/host.ts';

export interface PlayedSlurm {
  readonly asked: string[];
  readonly forms: ('json' | 'text')[];
  /** Jobs that squeue knows. */
  queued: readonly number[];
  /** Jobs that sacct knows. */
  accounted: readonly number[];
  /** What sacct says of them. */
  accountedState: string;
  broken: boolean;
  /** sacct alone does not answer. */
  accountingBroken: boolean;
  /** Its cluster has accounting. */
  hasAccounting: boolean;
  /** What the commands say beside their answer. */
  said: string;
  /** What both say of their jobs. */
  name: string;
  /** What squeue says of its jobs. */
  user: string;
  /** Its sacct was built with JSON. */
  hasJson: boolean;
  readonly host: Host;
}

/** On Linux, with the end of the text (execve(2), "MAX_ARG_STRLEN"). */
const longestArgument = 131_072;

export function playSlurm(): PlayedSlurm {
  const slurm: PlayedSlurm = {
    asked: [],
    forms: [],
    queued: [],
    accounted: [],
    accountedState: 'COMPLETED',
    broken: false,
    accountingBroken: false,
    hasAccounting: true,
    said: '',
    name: 'abaco-s1',
    user: 'alice',
    hasJson: true,
    host: {
      name: 'played',
      run: async <T>({ argv, parse }: Command<T>): Promise<T> => {
        slurm.asked.push(argv[0]);
        slurm.forms.push(argv.includes('--json') ? 'json' : 'text');
        if (argv.some((word) => word.length >= longestArgument)) throw new Error('spawn E2BIG');
        if (slurm.broken) throw new Error('slurmctld does not answer');
        if (slurm.accountingBroken && argv[0] === 'sacct') throw new Error('slurmdbd does not answer');
        if (!slurm.hasAccounting && argv[0] === 'sacct') {
          return parse({ exitCode: 1, signal: null, stdout: '', stderr: 'Slurm accounting storage is disabled' });
        }
        if (!slurm.hasJson && argv.includes('--json')) {
          const stderr = `${argv[0]}: error: JSON plugin loading failure`;
          return parse({ exitCode: 1, signal: null, stdout: '', stderr });
        }
        const ids = argv[0] === 'squeue' ? slurm.queued : slurm.accounted;
        const job = (id: number) => ({
          job_id: id,
          name: slurm.name,
          user: 'alice',
          state: { current: [slurm.accountedState] },
          time: { end: 1_000, elapsed: 7 },
        });
        const rows = ids.map((id) =>
          argv[0] === 'squeue'
            ? [id, id, slurm.user, 'RUNNING', 'None', 'c1', 'N/A', 'N/A', 0, '0:0', slurm.name, '']
            : [
                id,
                id,
                'alice',
                1,
                slurm.accountedState,
                '0:0',
                'c1',
                'N/A',
                'N/A',
                7,
                '00:01',
                '',
                '',
                'None',
                slurm.name,
              ],
        );
        const head = argv[0] === 'squeue' ? 'last_update_time=0 records=1\n' : '';
        const text = head + rows.map((row) => row.join(separatorIn(argv))).join('\n');
        const stdout = argv.includes('--json') ? JSON.stringify({ jobs: ids.map(job) }) : text;
        return parse({ exitCode: 0, signal: null, stdout, stderr: slurm.said });
      },
    } as unknown as Host,
  };
  return slurm;
}

/** Which one it was told to part columns with, by `squeue --Format=COLUMN:SEPARATOR,…` or `sacct --delimiter=SEPARATOR`. */
export function separatorIn(argv: readonly string[]): string {
  return /^--(?:Format=\w+:|delimiter=)([^,\n]+)/m.exec(argv.join('\n'))?.[1] ?? '';
}
