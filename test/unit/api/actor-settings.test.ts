import { describe, expect, it } from 'vitest';
import { planActorSettings } from '../../../src/api/actor-settings.ts';
import { loadConfig } from '../../../src/config/load.ts';

const { config } = loadConfig({ env: { ABACO_SERVICE_DATA_DIR: '/data' } });

describe('planActorSettings', () => {
  it('takes the default token of the site as text where the user gives none', () => {
    expect(planActorSettings({ image: 'debian' }, config, 'DEV').token).toBe('false');
    expect(planActorSettings({ image: 'debian', token: false }, config, 'DEV').token).toBe(false);
  });

  it.each([
    [{ max_cpus: -1 }, { maxCpus: -1 }],
    [{ max_cpus: 10_000_000 }, { maxCpus: 10_000_000 }],
    [{ mem_limit: '512m' }, { memLimit: '512m' }],
    [{ mem_limit: '-1' }, { memLimit: '-1' }],
    [{ max_workers: 1 }, { maxWorkers: 1 }],
    [{ launcher: 'local' }, { launcher: 'local' }],
  ])('takes %j', (asked, expected) => {
    expect(planActorSettings({ image: 'debian', ...asked }, config, 'DEV')).toMatchObject(expected);
  });

  it('refuses a share of a processor that Docker would', () => {
    expect(() => planActorSettings({ image: 'debian', max_cpus: 9_999_999 }, config, 'DEV')).toThrow(
      '10000000 at least',
    );
  });
});
