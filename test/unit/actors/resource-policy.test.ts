import { describe, expect, it } from 'vitest';
import { fillResources, policyProblem, type ResourcePolicy } from '../../../src/actors/resource-policy.ts';

const open: ResourcePolicy = {
  partitions: [],
  accounts: [],
  qos: [],
  maxWalltimeMs: null,
  maxNodes: null,
  maxMemoryBytes: null,
  maxGpus: null,
};

describe('the policy of a queue', () => {
  it('that says nothing allows and gives nothing', () => {
    const asked = { partition: 'any', nodes: 1_000, gpusPerNode: 8 };
    expect(policyProblem(asked, 'hpc', open)).toBeUndefined();
    expect(fillResources(asked, open)).toEqual(asked);
  });

  it('gives the first of its names to those who ask for none', () => {
    const policy = { ...open, partitions: ['normal', 'debug'], accounts: ['lab'] };
    expect(fillResources({ nodes: 2 }, policy)).toEqual({ nodes: 2, partition: 'normal', account: 'lab' });
    expect(fillResources({ partition: 'debug' }, policy)).toEqual({ partition: 'debug', account: 'lab' });
  });

  it('gives those who ask for no walltime none that is longer than it allows', () => {
    const policy = { ...open, maxWalltimeMs: 300_000 };
    expect(fillResources({}, policy)).toEqual({ mostWalltimeMs: 300_000 });
    expect(fillResources({ walltimeMs: 60_000 }, policy)).toEqual({ walltimeMs: 60_000 });
  });

  it.each([
    [
      { partition: 'long' },
      { partitions: ['normal', 'debug'] },
      '"partition" is "long"; queue "hpc" allows normal, debug',
    ],
    [{ account: 'other' }, { accounts: ['lab'] }, '"account" is "other"; queue "hpc" allows lab'],
    [{ qos: 'high' }, { qos: ['low'] }, '"qos" is "high"; queue "hpc" allows low'],
    [{ walltimeMs: 7_200_000 }, { maxWalltimeMs: 3_600_000 }, '"walltime" is 2h; queue "hpc" allows 1h at most'],
    [
      { tasks: 3 },
      { maxNodes: 2 },
      '"tasks" is 3, which may be as many nodes; queue "hpc" allows 2 at most: say "nodes" as well',
    ],
    [{ nodes: 3 }, { maxNodes: 2 }, '"nodes" is 3; queue "hpc" allows 2 at most'],
    [
      { memoryBytesPerNode: 2 ** 31 },
      { maxMemoryBytes: 2 ** 30 },
      '"memory" is 2 GiB; queue "hpc" allows 1 GiB at most',
    ],
    [{ gpusPerNode: 1 }, { maxGpus: 0 }, '"gpus" is 1; queue "hpc" allows 0 at most'],
  ])('refuses %j with what it allows', (asked, policy, problem) => {
    expect(policyProblem(asked, 'hpc', { ...open, ...policy })).toBe(problem);
  });

  it('allows what is on its lists and at its limits', () => {
    const policy = { ...open, partitions: ['normal'], maxNodes: 2, maxWalltimeMs: 60_000 };
    expect(policyProblem({ partition: 'normal', nodes: 2, walltimeMs: 60_000 }, 'hpc', policy)).toBeUndefined();
    expect(policyProblem({ nodes: 2, tasks: 64 }, 'hpc', policy)).toBeUndefined();
    expect(policyProblem({ tasks: 2 }, 'hpc', policy)).toBeUndefined();
  });
});
