import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTemplates, renderScript, type ScriptView } from '../../../../launchers/slurm/render-script.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const view: ScriptView = {
  jobName: 'abaco-s1',
  comment: 'abaco i1 s1',
  output: '/lustre/alice/jobs/s1/%a.out',
  count: 3,
  options: { time: '10', mem: '512M' },
  directory: '/lustre/alice/jobs/s1',
};
const templates = createTemplates('');

describe('the script of a submission', () => {
  it('says what it asks for, and starts the file of its element', () => {
    const lines = renderScript(view, templates).split('\n');
    expect(lines[0]).toBe('#!/bin/sh');
    expect(lines.filter((line) => line.startsWith('#SBATCH'))).toEqual([
      '#SBATCH --job-name=abaco-s1',
      '#SBATCH --comment="abaco i1 s1"',
      '#SBATCH --no-requeue',
      '#SBATCH --export=NIL',
      '#SBATCH --output=/lustre/alice/jobs/s1/%a.out',
      '#SBATCH --open-mode=append',
      '#SBATCH --array=0-2',
      '#SBATCH --time=10',
      '#SBATCH --mem=512M',
    ]);
    expect(lines.at(-2)).toBe('exec /bin/sh /lustre/alice/jobs/s1/"${SLURM_ARRAY_TASK_ID:-0}".sh');
  });

  it('of one execution is no array', () => {
    expect(renderScript({ ...view, count: 1 }, templates)).not.toContain('--array');
  });

  it.each([
    { options: { time: '10\n#SBATCH --uid=0' } },
    { options: { partition: 'a b' } },
    { options: { account: '"; reboot; "' } },
    { options: { 'mem\n#SBATCH --uid': '0' } },
    { jobName: 'a b' },
    { comment: 'x"\n#SBATCH --uid=0' },
    { output: '/lustre/%j/../x.out' },
    { output: '/lustre/with space/0.out' },
  ])('takes nothing that could say more than it should: %j', (change) => {
    expect(() => renderScript({ ...view, ...change }, templates)).toThrow('cannot be');
  });

  it('finds its directory, whatever it is called', async () => {
    await using scratch = await makeTestDirectory('script');
    const name = fc.string({
      unit: fc.constantFrom(...Array.from('a \'"\\$`&;|<>(){}!*?~#=%\n')),
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(name, (text) => {
        const directory = join(scratch.path, `d${text}`);
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, '2.sh'), 'echo "found it"\n');
        const script = renderScript({ ...view, directory }, templates);
        const environment = { SLURM_ARRAY_TASK_ID: '2' };
        expect(execFileSync('/bin/sh', ['-c', script], { env: environment, encoding: 'utf8' })).toBe('found it\n');
      }),
      { numRuns: 60 },
    );
  });

  it('takes the templates of the site over ours, file by file', async () => {
    await using site = await makeTestDirectory('templates');
    mkdirSync(join(site.path, 'partials'));
    writeFileSync(join(site.path, 'partials', 'preamble.mustache'), 'module load apptainer\n');
    const script = renderScript(view, createTemplates(site.path));
    expect(script).toContain('\nmodule load apptainer\n');
    expect(script).toContain('--no-requeue');
  });
});
