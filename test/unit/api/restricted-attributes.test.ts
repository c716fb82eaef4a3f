import { describe, expect, it } from 'vitest';
import { checkRestricted } from '../../../src/api/restricted-attributes.ts';

const queues = {
  default: { launcher: 'local', who: 'user' },
  hpc: { launcher: 'cluster', who: 'user' },
  urgent: { launcher: 'fast', who: 'privileged' },
} as const;
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
  ])('%j is not for an ordinary user', (asked, doing) => {
    const request = { image: 'debian', ...asked };
    expect(() => checkRestricted(request, as('Internal/everyone'), { queues })).toThrow(`${rule} ${doing}.`);
    for (const role of ['Internal/abaco-privileged', 'Internal/abaco-admin', 'ALL']) {
      checkRestricted(request, as('Internal/everyone', role), { queues });
    }
  });

  it.each([
    [{}],
    [{ queue: 'hpc' }],
    [{ launcher: 'cluster' }],
    [{ launcher: null, queue: '' }],
    // What nobody knows is refused by another rule, in better words.
    [{ queue: 'unknown' }],
    [{ privileged: false, max_workers: null, max_cpus: null, mem_limit: null, use_container_uid: false }],
  ])('%j is for everybody', (asked) => {
    const check = () => checkRestricted({ image: 'debian', ...asked }, as('Internal/everyone'), { queues });
    expect(check).not.toThrow();
  });

  it('tells a program whose token it is that has no such role', () => {
    const caller = { ...as(), execution: { tenant: 'T', actorId: 'A', executionId: 'E' } };
    expect(() => checkRestricted({ image: 'debian', privileged: true }, caller, { queues })).toThrow(
      `${rule} make privileged actors. The token of an execution is neither`,
    );
  });
});
