import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readResources, renderResources, resourceNames } from '../../../src/api/resources-field.ts';
import { InvalidError } from '../../../src/errors.ts';

const read = (given: Readonly<Record<string, unknown>>) => readResources(given, 'Invalid');
const gib = 1024 ** 3;

describe('resources of an actor', () => {
  it.each([
    [
      { nodes: 2, tasks: '8' },
      { nodes: 2, tasks: 8 },
    ],
    [{ wallTime: 90 }, { walltimeMs: 5_400_000 }],
    [{ wall_time: '90' }, { walltimeMs: 5_400_000 }],
    [{ walltime: '01:30:00' }, { walltimeMs: 5_400_000 }],
    [{ walltime: '30:15' }, { walltimeMs: 1_815_000 }],
    [{ walltime: '1-12' }, { walltimeMs: 129_600_000 }],
    [{ walltime: '2-01:00:30' }, { walltimeMs: 176_430_000 }],
    [{ walltime: '1h30m' }, { walltimeMs: 5_400_000 }],
    [{ memory: '2g' }, { memoryBytesPerNode: 2 * gib }],
    [{ memory: '512 MiB' }, { memoryBytesPerNode: gib / 2 }],
    [{ memory: '1.5G' }, { memoryBytesPerNode: 1.5 * gib }],
    [{ memory: gib }, { memoryBytesPerNode: gib }],
    [{ gpus: 2 }, { gpusPerNode: 2 }],
    [{ gpus: 'a100:2' }, { gpusPerNode: 2, gpuType: 'a100' }],
    [{ gpus: 0 }, {}],
    [
      { partition: 'gpu,gpu-long', qos: 'high', account: 'TG-1.2' },
      { partition: 'gpu,gpu-long', qos: 'high', account: 'TG-1.2' },
    ],
    [{ constraint: '[rack1|rack2]&fast' }, { constraint: '[rack1|rack2]&fast' }],
    [{ nodes: null, partition: '' }, {}],
    [{}, {}],
  ])('%j are %j', (given, expected) => {
    expect(read(given)).toEqual(expected);
  });

  it.each([
    [{ nodes: 0 }, '"nodes" is 0; it has to be a count from 1'],
    [{ nodes: 1.5 }, '"nodes" is 1.5'],
    [{ tasks: 1, nodes: 2 }, '"tasks" is 1, fewer than "nodes", 2'],
    [{ memory: '1m' }, '"memory" is "1m"; it has to be bytes, or as in "2g" or "512 MiB", 6m at least'],
    [{ memory: 'lots' }, '"memory" is "lots"'],
    [{ walltime: '1:90:00' }, '"walltime" is "1:90:00"; it has to be minutes, "HH:MM:SS"'],
    [{ walltime: 0 }, '"walltime" is 0'],
    [{ gpus: 'a100' }, '"gpus" is "a100"'],
    [{ partition: '--uid=0' }, '"partition" is "--uid=0"'],
    [{ account: 'a b' }, '"account" is "a b"'],
    [{ qos: 'x\n#SBATCH --uid=0' }, '"qos" is'],
    [{ constraint: '$(reboot)' }, '"constraint" is'],
    [{ memmory: '1g' }, '"memmory" is none of the resources there are: nodes, tasks, cpus, memory'],
  ])('%j are refused', (given, words) => {
    expect(() => read(given)).toThrow(InvalidError);
    expect(() => read(given)).toThrow(`Invalid: resources: ${words}`);
  });

  it('are shown so that they read as the same, whatever they are', () => {
    const value = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.integer({ min: -1, max: 2_000_000_000 }),
      fc.constantFrom('2g', '01:30:00', 'a100:2', 'normal', '1-12', '90s', 'x&y', null),
    );
    const given = fc.dictionary(fc.constantFrom(...resourceNames), value);
    fc.assert(
      fc.property(given, (one) => {
        let resources: ReturnType<typeof read>;
        try {
          resources = read(one);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(InvalidError);
          return;
        }
        const again = read(renderResources(resources) ?? {});
        // What is shown counts whole seconds.
        const walltimeMs =
          resources.walltimeMs === undefined ? {} : { walltimeMs: Math.ceil(resources.walltimeMs / 1_000) * 1_000 };
        expect(again).toEqual({ ...resources, ...walltimeMs });
      }),
    );
  });
});
