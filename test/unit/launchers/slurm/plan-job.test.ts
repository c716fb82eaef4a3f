import { describe, expect, it } from 'vitest';
import { planStart } from '../../../../launchers/slurm/plan-start.ts';
import { planJob } from '../../../../launchers/slurm/sbatch-options.ts';
import type { LaunchSpec } from '../../../../src/launcher/launcher.ts';

const mib = 1_048_576;
const settings = { partition: 'normal', account: '', qos: '', walltime: 600_000, margin: 60_000 };
const limits = {
  memoryBytes: 512 * mib,
  nanoCpus: 1_500_000_000,
  graceMs: 10_000,
  logBytes: 1_000,
  resultBytes: 2_000,
  resultTotalBytes: 30_000,
  resultCount: 40,
};
const spec: LaunchSpec = {
  executionId: 'e1',
  attempt: 1,
  owner: 'alice',
  tenant: 'lab',
  actorId: 'a1',
  image: { name: 'x', digest: 'sha256:0', argv: ['program', '$(reboot)'] },
  environment: { SECRET: 'value' },
  privileged: false,
  mounts: [],
  limits,
  notAfter: new Date(1_000_000),
};
const paths = {
  sif: '/images/x.sif',
  runDir: '/work/run/e1-1',
  ledgerEntry: '/work/ledger/e1-1/entry',
  nativeDir: '/native',
};

describe('what a job asks Slurm for', () => {
  it('is what limits and settings say where its actor says nothing', () => {
    expect(planJob({ limits }, settings)).toEqual({
      options: { 'cpus-per-task': '2', mem: '576M', time: '10', partition: 'normal' },
      tasks: 1,
      cpusPerTask: 2,
      hasGpus: false,
      timeMs: 540_000,
    });
  });

  it('is no more time than its queue allows, where its actor says nothing', () => {
    const timeOf = (mostWalltimeMs: number) => planJob({ limits, resources: { mostWalltimeMs } }, settings);
    expect(timeOf(300_000)).toMatchObject({ options: { time: '5' }, timeMs: 240_000 });
    expect(timeOf(3_600_000)).toMatchObject({ options: { time: '10' } });
  });

  it('is what its actor asks for, before all else', () => {
    const resources = {
      nodes: 2,
      tasks: 4,
      cpusPerTask: 8,
      memoryBytesPerNode: 2048 * mib,
      gpusPerNode: 2,
      gpuType: 'a100',
      walltimeMs: 5_430_000,
      partition: 'gpu',
      account: 'lab',
      qos: 'high',
      constraint: 'a&b',
      reservation: 'r1',
    };
    const job = planJob({ limits, resources }, settings);
    expect(job.options).toEqual({
      nodes: '2',
      ntasks: '4',
      'cpus-per-task': '8',
      mem: '2048M',
      gres: 'gpu:a100:2',
      time: '91',
      partition: 'gpu',
      account: 'lab',
      qos: 'high',
      constraint: 'a&b',
      reservation: 'r1',
    });
    expect(job).toMatchObject({ tasks: 4, hasGpus: true, timeMs: 5_370_000 });
  });

  it('gives each task the memory of a container where nobody says how much', () => {
    const { options } = planJob({ limits, resources: { tasks: 4 } }, settings);
    expect(options).toMatchObject({ ntasks: '4', 'mem-per-cpu': '288M' });
    expect(options).not.toHaveProperty('mem');
  });

  it.each([
    [{ walltimeMs: 60_000 }, 60_000, 30_000],
    [{ walltimeMs: 120_000 }, 60_000, 60_000],
    [{}, 0, 600_000],
  ])('tells the program to end ahead of its walltime: %j with a margin of %i ms', (resources, margin, timeMs) => {
    expect(planJob({ limits, resources }, { ...settings, margin }).timeMs).toBe(timeMs);
  });

  it('tells it earlier where a run may not be that long', () => {
    expect(planJob({ limits: { ...limits, timeMs: 5_000 } }, settings).timeMs).toBe(5_000);
  });
});

describe('how a program starts', () => {
  const start = (resources: object) =>
    planStart(spec, paths, planJob({ limits, resources }, settings), { gpus: 'nvidia', mpi: 'pmix' });

  it('alone is under the helper in its container', () => {
    const { before, after } = start({});
    expect(before[0]).toBe('apptainer');
    expect(before.at(-1)).toBe('--label');
    expect(after).toEqual(['--', 'program', '$(reboot)']);
    expect(before.join(' ')).not.toContain('--nv');
    expect(start({ gpusPerNode: 1 }).before.join(' ')).toContain(' --pwd /tmp --nv ');
  });

  it('as several tasks is under one helper outside, which starts all ranks or none', () => {
    const { before, after } = start({ tasks: 3, gpusPerNode: 1 });
    expect(before.slice(0, 6)).toEqual([
      '/native/abaco-start',
      'start',
      '--ledger',
      paths.ledgerEntry,
      '--run',
      paths.runDir,
    ]);
    const words = [...before, ...after];
    expect(words.filter((word) => word === '--label')).toHaveLength(1);
    const srun = after.slice(after.indexOf('srun'));
    expect(srun.slice(1, 3)).toEqual(['--ntasks=3', '--cpus-per-task=2']);
    expect(srun).toContain('--mpi=pmix');
    expect(srun).toContain('--nv');
    expect(srun.slice(-9)).toEqual([
      '/_abaco/bin/abaco-start',
      'rank',
      '--run',
      '/_abaco/run',
      '--result-limit',
      '2000',
      '--',
      'program',
      '$(reboot)',
    ]);
  });

  it('never has the environment on its command line', () => {
    for (const resources of [{}, { tasks: 2 }]) expect(JSON.stringify(start(resources))).not.toContain('SECRET');
  });
});
