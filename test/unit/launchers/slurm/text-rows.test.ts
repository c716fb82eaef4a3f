/** Answers in columns, in which the name of a job is whatever its user wanted it to be. */

import { describe, expect, it } from 'vitest';
import type { Command } from '../../../../launchers/host/command.ts';
import { sacctTextCommand } from '../../../../launchers/slurm/commands/sacct-text.ts';
import { squeueCommand } from '../../../../launchers/slurm/commands/squeue.ts';
import type { JobRecord } from '../../../../launchers/slurm/job-record.ts';
import { separatorIn } from '../../../support/play-slurm.ts';

const unitSeparator = '\u001f';
const squeue = () => squeueCommand(['alice', 'mallory']);
const sacct = () => sacctTextCommand({ ids: ['555', '600'], since: new Date(0), steps: false });

const queued = (id: number, user: string, state: string, name: string) =>
  [id, id, user, state, 'None', 'c1', 'N/A', 'N/A', 0, '0:0', name, ''].map(String);
const accounted = (id: number, user: string, state: string, name: string) =>
  [id, id, user, 1, state, '0:0', 'c1', 'N/A', 'N/A', 7, '00:01', '', '', 'None', name].map(String);

/** What the command makes of these rows, printed as it wants them. */
function answer(command: Command<readonly JobRecord[]>, head: string, rows: readonly (readonly string[])[]) {
  const text = rows.map((row) => `${row.join(separatorIn(command.argv))}\n`).join('');
  return command.parse({ exitCode: 0, signal: null, stdout: head + text, stderr: '' });
}

describe.each([
  ['squeue', squeue, queued, 'users = alice,mallory\nlast_update_time=0 records=2\n'],
  ['sacct', sacct, accounted, ''],
] as const)('an answer of %s in columns', (_, command, row, head) => {
  const alices = row(555, 'alice', 'RUNNING', 'abaco-s1');

  it.each([
    ['the unit separator', unitSeparator],
    ['what parted the columns of another answer', separatorIn(command().argv)],
  ])('has no job in it that is a part of the name of another, with %s', (__, separator) => {
    const forged = row(555, 'alice', 'OUT_OF_MEMORY', 'abaco-s1').join(separator);
    const jobs = answer(command(), head, [alices, row(600, 'mallory', 'RUNNING', `x\n${forged}`)]);
    expect(jobs.map(({ id, states }) => [id, ...states])).toEqual([
      ['555', 'RUNNING'],
      ['600', 'RUNNING'],
    ]);
  });

  it('is whole whatever a name says of when it was given', () => {
    const jobs = answer(command(), head, [row(600, 'mallory', 'RUNNING', 'x\nlast_update_time=1'), alices]);
    expect(jobs.map(({ id }) => id)).toEqual(['600', '555']);
  });

  it('has columns that are parted as Slurm can', () => {
    // Digits behind the colon of a column are its width, and a comma ends it (squeue(1), "--Format").
    const [first = '', second] = [command(), command()].map(({ argv }) => separatorIn(argv));
    expect(first).not.toBe(second);
    expect(first[0]).toBe(unitSeparator);
    expect(first.slice(1)).toMatch(/^[\w-]{8}$/);
  });
});
