import { describe, expect, it } from 'vitest';
import { planActorSettings, planIdentity } from '../../../src/api/actor-settings.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/schema.ts';

const { config } = loadConfig({ env: { ABACO_SERVICE_DATA_DIR: '/data' } });
const actor = { tenant: 'DEV', owner: 'jane' };
const place = { launcher: null, queue: 'default' };
const mounts: Config['mounts'] = {
  global: [{ host: '/home/{username}', container: '/home/{username}', mode: 'rw', launcher: '' }],
  privileged: [{ host: '/srv/{tenant_id}', container: '/srv', mode: 'ro', launcher: '' }],
};

describe('planIdentity', () => {
  it('gives the mounts of all actors with the owner filled in, and those of privileged ones to these alone', () => {
    const identity = { actorUid: 1000, actorGid: null };
    const home = { hostPath: '/home/jane', containerPath: '/home/jane', mode: 'rw' };
    const plain = planIdentity({ privileged: false, ...place }, actor, { ...config, identity, mounts });
    expect(plain).toEqual({ uid: '1000', gid: null, groups: [], tasdir: null, mounts: [home] });
    const privileged = planIdentity({ privileged: true, ...place }, actor, { ...config, identity, mounts });
    expect(privileged.mounts).toEqual([home, { hostPath: '/srv/DEV', containerPath: '/srv', mode: 'ro' }]);
  });

  it('gives a mount of one launcher to the actors of that one', () => {
    const scratch = { host: '/lustre/{username}', container: '/scratch', mode: 'rw', launcher: 'hpc' } as const;
    const one = { ...config, mounts: { global: [scratch], privileged: [] } };
    expect(planIdentity({ privileged: false, launcher: 'hpc', queue: 'default' }, actor, one).mounts).toEqual([
      { hostPath: '/lustre/jane', containerPath: '/scratch', mode: 'rw' },
    ]);
    expect(planIdentity({ privileged: false, ...place }, actor, one).mounts).toEqual([]);
  });
});

describe('planActorSettings', () => {
  it('takes the default token of the site as text where the user gives none', () => {
    expect(planActorSettings({ image: 'debian' }, config).token).toBe('false');
    expect(planActorSettings({ image: 'debian', token: false }, config).token).toBe(false);
  });

  it.each([
    [{ max_cpus: -1 }, { maxCpus: -1 }],
    [{ max_cpus: 10_000_000 }, { maxCpus: 10_000_000 }],
    [{ mem_limit: '512m' }, { memLimit: '512m' }],
    [{ mem_limit: '-1' }, { memLimit: '-1' }],
    [{ max_workers: 1 }, { maxWorkers: 1 }],
    [{ launcher: 'local' }, { launcher: 'local' }],
  ])('takes %j', (asked, expected) => {
    expect(planActorSettings({ image: 'debian', ...asked }, config)).toMatchObject(expected);
  });

  it('refuses a share of a processor that Docker would', () => {
    expect(() => planActorSettings({ image: 'debian', max_cpus: 9_999_999 }, config)).toThrow('10000000 at least');
  });
});
