import { describe, expect, it } from 'vitest';
import type { RunAs } from '../../../src/auth/run-as.ts';
import { ownerSpec, ownLimits } from '../../../src/workers/launch-spec.ts';

const jane: RunAs = { uid: '10001', gid: '20000', groups: [20_001], tasdir: null, mounts: [] };
const nobody: RunAs = { uid: null, gid: null, groups: [], tasdir: null, mounts: [] };
const [anyUser, owners] = [{ asOwner: false }, { asOwner: true }];

describe('what a launcher is told of the user of a program', () => {
  it('is the owner, where anybody says who that is', () => {
    expect(ownerSpec({ useContainerUid: false }, jane, anyUser)).toMatchObject({
      user: '10001:20000',
      groups: [20_001],
    });
    expect(ownerSpec({ useContainerUid: false }, nobody, anyUser)).toEqual({ mounts: [] });
  });

  it('is nothing for an actor that asks for the user of its image, but where programs run as their owner', () => {
    expect(ownerSpec({ useContainerUid: true }, jane, anyUser)).toEqual({ mounts: [] });
    expect(ownerSpec({ useContainerUid: true }, jane, owners)).toMatchObject({ user: '10001:20000' });
  });
});

describe('the limits that an actor itself asks for', () => {
  it.each([
    [{ memLimit: null, maxCpus: null, resources: {} }, []],
    [{ memLimit: '-1', maxCpus: -1, resources: { walltimeMs: 60_000 } }, []],
    [{ memLimit: '1g', maxCpus: 1e9, resources: {} }, ['mem_limit', 'max_cpus']],
    [{ memLimit: null, maxCpus: null, resources: { memoryBytesPerNode: 1, cpusPerTask: 1 } }, ['memory', 'cpus']],
  ])('of %j are %j', (actor, limits) => expect(ownLimits(actor)).toEqual(limits));
});
