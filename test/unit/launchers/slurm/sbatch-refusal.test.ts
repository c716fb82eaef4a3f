/** What sbatch said on a cluster, as it was recorded with what it was asked, and texts of slurm_errno(3) that nobody can stage. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { classifyRefusal } from '../../../../launchers/slurm/commands/sbatch-refusal.ts';
import { packageRoot } from '../../../support/package-root.ts';

const recorded = JSON.parse(
  readFileSync(join(packageRoot, 'test/fixtures/slurm/24.11/sbatch-refusals.json'), 'utf8'),
) as Readonly<Record<string, { readonly asked: string; readonly stderr: string }>>;

const meaning: Readonly<Record<string, string>> = {
  partition: 'user',
  account: 'user',
  allowacc: 'user',
  qos: 'user',
  time: 'user',
  'time-debug': 'user',
  nodes: 'user',
  maxnodes: 'user',
  cpus: 'user',
  memory: 'user',
  tasks: 'user',
  gres: 'user',
  feature: 'user',
  reservation: 'user',
  license: 'user',
  array: 'user',
  gpus: 'limit',
  'gpu-type': 'limit',
  'small-full': 'limit',
  'small-array': 'limit',
  inactive: 'limit',
  drain: 'limit',
};

describe('a refusal of sbatch', () => {
  it('is known for each that was recorded', () => {
    expect(Object.keys(recorded).toSorted()).toEqual(Object.keys(meaning).toSorted());
  });

  it.each(Object.entries(recorded))('%s is told from the others: %j', (name, { stderr }) => {
    expect(classifyRefusal(stderr)).toBe(meaning[name]);
  });

  it.each([
    ['Unable to contact slurm controller (connect failure)', 'site'],
    ['Slurm backup controller in standby mode', 'site'],
    ['Protocol authentication error', 'site'],
    ['I/O error writing script/environment to file', 'site'],
    ['Socket timed out on send/recv operation', 'unknown'],
    ['Zero Bytes were transmitted or received', 'unknown'],
    ['Slurm temporarily unable to accept job, sleeping and retrying', 'limit'],
    ['Requested nodes are busy', 'limit'],
    ["User's group not permitted to use this partition", 'user'],
    ['Access denied to requested reservation', 'user'],
    ['Memory required by task is not available', 'user'],
    ['QOSMaxSubmitJobPerUserLimit; Job violates accounting/QOS policy', 'limit'],
    ['QOSMaxWallDurationPerJobLimit; Job violates accounting/QOS policy', 'user'],
    ['AssocMaxCpuPerJobLimit; Job violates accounting/QOS policy', 'user'],
    ['AssocGrpCpuLimit; Job violates accounting/QOS policy', 'limit'],
    ['Something of a plugin of the site', undefined],
    ['', undefined],
  ])('%j is %s', (words, kind) => {
    expect(classifyRefusal(words)).toBe(kind);
  });
});
