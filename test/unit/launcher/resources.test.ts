import { describe, expect, it } from 'vitest';
import { capabilityProblem } from '../../../src/launcher/check-capabilities.ts';
import { tasksOf } from '../../../src/launcher/resources.ts';

const plain = { queues: false, liveOutput: true, gpus: false, multiNode: false, asOwner: false, everywhere: false };
const local = { name: 'local', capabilities: plain };
const cluster = { name: 'hpc', capabilities: { ...plain, queues: true, gpus: true, multiNode: true } };

describe('the powers of a launcher', () => {
  it.each([
    [{ gpusPerNode: 1 }, 'launcher "local" has no GPUs to give; leave "gpus" away'],
    [{ nodes: 2 }, 'launcher "local" runs one task on one node; leave "nodes" and "tasks" away'],
    [{ tasks: 2 }, 'launcher "local" runs one task on one node; leave "nodes" and "tasks" away'],
    [{ partition: 'normal' }, 'launcher "local" has no scheduler to give "partition" to; leave it away'],
  ])('are named where they are not enough for %j', (resources, problem) => {
    expect(capabilityProblem(resources, local)).toBe(problem);
    expect(capabilityProblem(resources, cluster)).toBeUndefined();
  });

  it('are enough for limits of one container everywhere', () => {
    const resources = { nodes: 1, tasks: 1, cpusPerTask: 2, memoryBytesPerNode: 2 ** 30, walltimeMs: 60_000 };
    expect(capabilityProblem(resources, local)).toBeUndefined();
  });

  it.each([
    ['memory', { memoryBytesPerNode: 2 ** 30 }],
    ['cpus', { cpusPerTask: 2 }],
  ])('are not enough for %s where they are known to hold no limits', (name, resources) => {
    const unlimited = { name: 'local', capabilities: { ...plain, resourceLimits: false } };
    expect(capabilityProblem(resources, unlimited)).toBe(
      `launcher "local" cannot keep a program within memory or processors: its host lets nobody use cgroups; leave "${name}" away, or have an administrator give users of the host cgroups (version 2)`,
    );
    expect(capabilityProblem({ walltimeMs: 60_000 }, unlimited)).toBeUndefined();
  });
});

describe('the tasks of a program', () => {
  it('are one for each node where nobody says how many', () => {
    expect([tasksOf({}), tasksOf({ nodes: 3 }), tasksOf({ nodes: 2, tasks: 8 })]).toEqual([1, 3, 8]);
  });
});
