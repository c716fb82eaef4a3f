/** What a cluster says of itself, as it was recorded, and what that means for what is asked of it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkResources } from '../../../../launchers/slurm/check-resources.ts';
import { type ClusterFacts, mostElements } from '../../../../launchers/slurm/cluster-facts.ts';
import { parseUsers } from '../../../../launchers/slurm/commands/sacctmgr.ts';
import { parseConfig, parsePartitions } from '../../../../launchers/slurm/commands/scontrol.ts';
import { parseSinfo } from '../../../../launchers/slurm/commands/sinfo.ts';
import { withNodes } from '../../../../launchers/slurm/learn-cluster.ts';
import { fillJob } from '../../../../launchers/slurm/sbatch-options.ts';
import { parseSlurmTime } from '../../../../launchers/slurm/slurm-time.ts';
import { packageRoot } from '../../../support/package-root.ts';

const mib = 1_048_576;

const recorded = (name: string): string =>
  readFileSync(join(packageRoot, 'test/fixtures/slurm/24.11', `${name}.txt`), 'utf8');

const nodes = parseSinfo(recorded('sinfo-nodes'));
const facts: ClusterFacts = {
  partitions: parsePartitions(recorded('scontrol-partitions')).map((rule) => withNodes(rule, nodes)),
  associations: parseUsers(recorded('sacctmgr-users')),
  maxArraySize: parseConfig(recorded('scontrol-config')).maxArraySize ?? 0,
};

describe('what a cluster says', () => {
  it('of its partitions is their limits and their largest nodes', () => {
    expect(facts.partitions).toMatchObject([
      { name: 'normal', isDefault: true, maxTimeMs: 86_400_000, maxNodes: 2, cpusPerNode: 32, features: ['standard'] },
      { name: 'debug', isDefault: false, maxTimeMs: 1_800_000, memoryBytesPerNode: 16_000 * 1_048_576 },
    ]);
    expect(facts.partitions[0]?.gpusPerNode).toEqual(new Map([['', 2]]));
    expect(facts.partitions[0]).not.toHaveProperty('allowedAccounts');
  });

  it('of its users is what they may charge, and how much at once', () => {
    expect(facts.associations.filter(({ user }) => user === 'alice')).toEqual([
      { cluster: 'test', user: 'alice', account: 'science', isDefault: true, qos: ['normal'] },
      { cluster: 'test', user: 'alice', account: 'small', isDefault: false, qos: ['normal'], maxSubmitJobs: 2 },
    ]);
  });

  it('of its nodes may be of several kinds', () => {
    const text = 'gpu|4|128+|515000+|gpu:a100:4(S:0-3),gpu:v100:2,nvme:1|a,b\ncpu|9|64|256000|(null)|(null)\n';
    expect(parseSinfo(text)).toMatchObject([
      {
        partition: 'gpu',
        cpus: 128,
        gpus: new Map([
          ['a100', 4],
          ['v100', 2],
        ]),
        features: ['a', 'b'],
      },
      { partition: 'cpu', gpus: new Map(), features: [] },
    ]);
  });

  it.each([
    ['1-00:00:00', 86_400_000],
    ['00:30:00', 1_800_000],
    ['05:30', 330_000],
    ['30', 1_800_000],
    ['2-12', 216_000_000],
    ['UNLIMITED', undefined],
    ['', undefined],
  ])('%j is %s ms', (text, ms) => {
    expect(parseSlurmTime(text)).toBe(ms);
  });

  it('cut off anywhere is less, and never an error', () => {
    const readers = [
      ['scontrol-config', parseConfig],
      ['scontrol-partitions', parsePartitions],
      ['sinfo-nodes', parseSinfo],
      ['sacctmgr-users', parseUsers],
    ] as const;
    for (const [name, parse] of readers) {
      const text = recorded(name);
      const cut = fc.oneof(
        fc.nat(text.length).map((at) => text.slice(0, at)),
        fc.string(),
      );
      fc.assert(
        fc.property(cut, (part) => {
          expect(() => parse(part)).not.toThrow();
        }),
      );
    }
  });
});

describe('what is asked of a cluster', () => {
  it.each([
    [{ partition: 'gpu' }, '"partition" is "gpu"; this cluster has debug, normal'],
    [{ account: 'gold' }, '"account" is "gold"; user "alice" may charge science, small'],
    [{ qos: 'high', account: 'small' }, '"qos" is "high"; account "small" of user "alice" has normal'],
    [{ walltimeMs: 172_800_000 }, '"walltime" is 2d; partition "normal" gives 1d'],
    [
      { walltimeMs: 3_600_000, partition: 'debug' },
      '"walltime" is 1h; partition "debug" gives 30m; possible in normal',
    ],
    [{ nodes: 3 }, '"nodes" is 3; partition "normal" gives 2'],
    [{ cpusPerTask: 33 }, '"cpus" is 33; partition "normal" gives 32 on its largest node'],
    [{ memoryBytesPerNode: 2 ** 35 }, '"memory" is 32 GiB; partition "normal" gives 16000 MiB'],
    [{ gpusPerNode: 3 }, '"gpus" is 3; nodes of partition "normal" have 2'],
    [{ gpusPerNode: 1, gpuType: 'a100' }, '"gpus" is a100:1; nodes of partition "normal" have 2'],
    [{ constraint: 'standard&fast' }, '"constraint" names "fast"; nodes of partition "normal" have standard'],
  ])('%j is told why it can never be, with what can', (asked, problem) => {
    expect(checkResources(asked, facts, 'alice')).toBe(problem);
  });

  it.each([
    [{ memoryBytes: 16_000 * mib }, {}, '"memory" is 16064 MiB; partition "normal" gives 16000 MiB'],
    [{ memoryBytes: 16_000 * mib }, { tasks: 2 }, '"memory" is 16064 MiB; partition "normal" gives 16000 MiB'],
    [{ nanoCpus: 32_500_000_000 }, {}, '"cpus" is 33; partition "normal" gives 32 on its largest node'],
    [{}, { partition: 'debug' }, '"walltime" is 1h; partition "debug" gives 30m; possible in normal'],
    [{ memoryBytes: 2 ** 40, nanoCpus: 1e12 }, { cpusPerTask: 2, memoryBytesPerNode: 64 * mib }, undefined],
  ])('by the limits %j an actor that asks for %j is told as much', (limits, resources, problem) => {
    const settings = { partition: '', account: '', qos: '', walltime: 3_600_000, margin: 60_000 };
    const asked = fillJob({ resources, limits }, settings);
    expect(checkResources(asked, facts, 'alice')).toBe(problem);
  });

  it.each([
    {},
    { partition: 'debug,normal', walltimeMs: 3_600_000 },
    { account: 'small', qos: 'normal', nodes: 2, tasks: 64, gpusPerNode: 2, constraint: 'standard' },
  ])('%j may be', (asked) => {
    expect(checkResources(asked, facts, 'alice')).toBeUndefined();
  });

  it('is not refused by what is not known', () => {
    const nothing: ClusterFacts = { partitions: [], associations: [] };
    const asked = {
      partition: 'x',
      account: 'y',
      qos: 'z',
      nodes: 99,
      gpusPerNode: 9,
      constraint: 'q',
      walltimeMs: 1e12,
    };
    expect(checkResources(asked, nothing, 'alice')).toBeUndefined();
    expect(checkResources({ account: 'gold' }, facts, 'dora')).toBeUndefined();
  });

  it('is refused where its partition is for other accounts', () => {
    const [normal, debug] = facts.partitions;
    const closed = { ...facts, partitions: [{ ...normal, allowedAccounts: ['small'] }, debug] } as ClusterFacts;
    expect(checkResources({ nodes: 1 }, closed, 'alice')).toBe(
      'partition "normal" is not for account "science"; it is for small; possible in debug',
    );
    expect(checkResources({ account: 'small' }, closed, 'alice')).toBeUndefined();
  });
});

describe('the elements of an array', () => {
  it('are never more than the cluster or the account takes', () => {
    expect(mostElements(facts, 'alice', {})).toBe(1_001);
    expect(mostElements(facts, 'alice', { account: 'small' })).toBe(2);
    expect(mostElements(undefined, 'alice', {})).toBe(Number.POSITIVE_INFINITY);
  });
});
