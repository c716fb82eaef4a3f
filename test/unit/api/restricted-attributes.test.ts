import { describe, expect, it } from 'vitest';
import { checkRestricted } from '../../../src/api/restricted-attributes.ts';

const queues = {
  default: { launcher: 'local', who: 'user', tenants: [] },
  hpc: { launcher: 'cluster', who: 'user', tenants: [] },
  urgent: { launcher: 'fast', who: 'privileged', tenants: [] },
} as const;
const auth = { anonymousPrivileged: false };
const config = { queues, service: { defaultLauncher: 'local' }, auth };
const as = (...roles: string[]) => ({ tenant: 'T', user: 'jane', roles });
const rule = 'Not authorized -- only admins and privileged users can';

describe('restricted attributes', () => {
  it.each([
    [{ privileged: true }, 'make privileged actors'],
    [{ max_workers: 3 }, 'set max workers'],
    [{ max_cpus: 1_000_000_000 }, 'set max CPUs'],
    [{ mem_limit: '1g' }, 'set mem limit'],
    [{ use_container_uid: true }, 'use container uid'],
    [{ queue: 'urgent' }, 'set queue'],
    [{ launcher: 'fast' }, 'set launcher'],
    [{ launcher: 'unknown' }, 'set launcher'],
    // The queue of another launcher would say what this one may be asked for.
    [{ launcher: 'cluster' }, 'set launcher'],
    [{ queue: 'hpc', launcher: 'local' }, 'set launcher'],
  ])('%j is not for an ordinary user', (asked, doing) => {
    const request = { image: 'debian', ...asked };
    expect(() => checkRestricted(request, as('Internal/everyone'), config)).toThrow(`${rule} ${doing}.`);
    for (const role of ['Internal/abaco-privileged', 'Internal/abaco-admin']) {
      checkRestricted(request, as('Internal/everyone', role), config);
    }
  });

  it.each([
    [{}],
    [{ queue: 'hpc' }],
    [{ queue: 'hpc', launcher: 'cluster' }],
    [{ launcher: 'local' }],
    [{ launcher: null, queue: '' }],
    // What nobody knows is refused by another rule, in better words.
    [{ queue: 'unknown' }],
    [{ privileged: false, max_workers: null, max_cpus: null, mem_limit: null, use_container_uid: false }],
  ])('%j is for everybody', (asked) => {
    const check = () => checkRestricted({ image: 'debian', ...asked }, as('Internal/everyone'), config);
    expect(check).not.toThrow();
  });

  it('are for everybody where no token is asked for', () => {
    const rest = { max_workers: 3, max_cpus: 1, mem_limit: '1g', use_container_uid: true, queue: 'urgent' };
    expect(() => checkRestricted({ image: 'debian', ...rest }, as('ALL'), config)).not.toThrow();
  });

  it('make no privileged actor there, unless a setting says so', () => {
    const request = { image: 'debian', privileged: true };
    const check = (anonymousPrivileged: boolean) => () => {
      checkRestricted(request, as('ALL'), { ...config, auth: { anonymousPrivileged } });
    };
    expect(check(false)).toThrow(`${rule} make privileged actors. No token is asked for here`);
    expect(check(false)).toThrow('auth.anonymous_privileged = true');
    expect(check(true)).not.toThrow();
  });

  describe('of queues that are for some tenants', () => {
    const shared = {
      service: { defaultLauncher: 'local' },
      auth,
      queues: {
        default: { launcher: '', who: 'user', tenants: ['LAB'] },
        lab: { launcher: 'cluster', who: 'user', tenants: ['LAB'] },
        t: { launcher: 'cluster', who: 'privileged', tenants: ['T', 'LAB'] },
        open: { launcher: 'other', who: 'user', tenants: [] },
      },
    } as const;
    const check = (asked: object, ...roles: string[]) => {
      checkRestricted({ image: 'debian', ...asked }, as('Internal/everyone', ...roles), shared);
    };
    const elsewhere = 'Not authorized -- only users of other tenants can';

    it.each([
      [{ queue: 'lab' }, 'set queue'],
      [{}, 'set queue'],
      [{ queue: '' }, 'set queue'],
      [{ queue: 'open', launcher: 'local' }, 'set launcher'],
    ])('%j is for no other tenant, whatever its users are', (asked, doing) => {
      for (const role of ['Internal/everyone', 'Internal/abaco-admin']) {
        expect(() => check(asked, role)).toThrow(`${elsewhere} ${doing}. Tenant "T" has the queues t, open`);
      }
    });

    it('asks its own users for their roles all the same', () => {
      for (const asked of [{ queue: 't' }, { queue: 'open', launcher: 'cluster' }]) {
        expect(() => check(asked)).toThrow(rule);
        check(asked, 'Internal/abaco-privileged');
      }
      check({ queue: 'open' });
      check({ queue: 'open', launcher: 'unknown' }, 'Internal/abaco-admin');
    });
  });

  it('tells a program whose token it is that has no such role', () => {
    const caller = { ...as(), execution: { tenant: 'T', actorId: 'A', executionId: 'E' } };
    expect(() => checkRestricted({ image: 'debian', privileged: true }, caller, config)).toThrow(
      `${rule} make privileged actors. The token of an execution is neither`,
    );
  });
});
