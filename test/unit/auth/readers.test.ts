import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectivePermission, permissions, permits, worldUser } from '../../../src/auth/permission.ts';
import { readersOf, readingAs } from '../../../src/auth/readers.ts';

const users = ['olga', 'sam', 'tom'];
const grants = fc
  .dictionary(fc.constantFrom(...users, worldUser), fc.constantFrom(...permissions))
  .map((map) => new Map(Object.entries(map)));

describe('readers', () => {
  it('are found among by exactly those whose permission is READ or more', () => {
    fc.assert(
      fc.property(grants, fc.constantFrom(...users), fc.constantFrom(...users), (map, owner, user) => {
        const readers = readersOf({ owner }, map);
        const isFound = readingAs({ user, roles: [] })?.some((name) => readers.includes(name)) ?? true;
        const effective = effectivePermission({ own: map.get(user), world: map.get(worldUser) }, user === owner);
        expect(isFound).toBe(permits(effective, 'READ'));
      }),
    );
  });

  it('do not matter to administrators', () => {
    expect(readingAs({ user: 'ada', roles: ['Internal/abaco-admin'] })).toBeUndefined();
  });
});
