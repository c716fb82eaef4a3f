import { describe, expect, it } from 'vitest';
import { planLimits, type SiteLimits } from '../../../src/workers/launch-spec.ts';

const mib = 1024 ** 2;
const site: SiteLimits = {
  memoryBytes: 512 * mib,
  nanoCpus: 1e9,
  pids: 100,
  maxRunTimeMs: 3_600_000,
  graceMs: 10,
  logBytes: 20,
  resultBytes: 30,
  resultTotalBytes: 300,
  resultCount: 20,
};
const actor = { memLimit: null, maxCpus: null, resources: {} };

describe('the limits of a container', () => {
  it('are those of the actor, else of the site', () => {
    expect(planLimits(actor, site, false)).toMatchObject({ memoryBytes: 512 * mib, nanoCpus: 1e9, timeMs: 3_600_000 });
    expect(planLimits({ ...actor, memLimit: '1g', maxCpus: 2e9 }, site, false)).toMatchObject({
      memoryBytes: 1024 * mib,
      nanoCpus: 2e9,
    });
  });

  it('are none where the actor says -1, each for itself', () => {
    const own = { ...actor, memLimit: '-1', maxCpus: -1 };
    const { memoryBytes: _memory, nanoCpus: _cpus, ...rest } = planLimits(actor, site, false);
    expect(planLimits(own, site, false)).toStrictEqual(rest);
    expect(planLimits({ ...own, maxCpus: null }, site, false)).toStrictEqual({ ...rest, nanoCpus: 1e9 });
    expect(planLimits({ ...own, memLimit: null }, site, false)).toStrictEqual({ ...rest, memoryBytes: 512 * mib });
    expect(
      planLimits({ ...own, resources: { memoryBytesPerNode: 64 * mib, cpusPerTask: 2 } }, site, false),
    ).toStrictEqual({
      ...rest,
      memoryBytes: 64 * mib,
      nanoCpus: 2e9,
    });
  });

  it('are lowered by what is asked for, and never raised, where nothing schedules', () => {
    const less = { memoryBytesPerNode: 64 * mib, walltimeMs: 60_000 };
    expect(planLimits({ ...actor, resources: less }, site, false)).toMatchObject({
      memoryBytes: 64 * mib,
      timeMs: 60_000,
    });
    const more = { memoryBytesPerNode: 2048 * mib, cpusPerTask: 8, walltimeMs: 7_200_000 };
    expect(planLimits({ ...actor, resources: more }, site, false)).toEqual(planLimits(actor, site, false));
  });

  it('stay as they are where a scheduler is asked instead', () => {
    const asked = { memoryBytesPerNode: 64 * mib, cpusPerTask: 1, walltimeMs: 60_000 };
    expect(planLimits({ ...actor, resources: asked }, site, true)).toEqual(planLimits(actor, site, true));
  });
});
