import { describe, expect, it } from 'vitest';
import { type AccessObject, decideAccess, refuseAdminPath, verbOf } from '../../../src/auth/decide-access.ts';
import { effectivePermission, least, permissions, permits } from '../../../src/auth/permission.ts';

const user = { roles: ['Internal/everyone'], tenant: 'T' };
const admin = { roles: ['Internal/abaco-admin'], tenant: 'T' };
const anybody = { roles: ['ALL'], tenant: 'T' };

/** The least level that lets a user in; nothing where none does. */
const table = {
  read: 'READ',
  list: 'READ',
  execute: 'EXECUTE',
  update: 'UPDATE',
  name: 'UPDATE',
  staff: undefined,
} as const;

const verbs = Object.keys(table) as (keyof typeof table)[];

describe('the decision on access', () => {
  const cases = verbs.flatMap((verb) => permissions.map((permission) => ({ verb, permission })));

  it.each(cases)('lets a user with $permission $verb as the table says', ({ verb, permission }) => {
    const need = table[verb];
    const refusal = decideAccess(user, { kind: 'actor', permission }, verb);
    expect(refusal === undefined).toBe(need !== undefined && permits(permission, need));
  });

  it.each(verbs)('excepts administrators from the map, but to list and to name: %s', (verb) => {
    for (const caller of [admin, anybody]) {
      const refusal = decideAccess(caller, { kind: 'actor', permission: 'NONE' }, verb);
      expect(refusal === undefined).toBe(verb !== 'list' && verb !== 'name');
    }
  });

  it.each<[AccessObject, string]>([
    [{ kind: 'actor', permission: 'NONE' }, 'actor'],
    [{ kind: 'alias', permission: 'READ' }, 'alias'],
    [{ kind: 'alias', permission: 'UPDATE', behind: 'READ' }, 'alias and actor'],
    [{ kind: 'alias', permission: 'READ', behind: 'UPDATE' }, 'alias and actor'],
  ])('says of what %j is refused', (object, what) => {
    const message = `Not authorized -- you do not have access to this ${what}.`;
    expect(decideAccess(user, object, 'update')).toMatchObject({ message, code: 'request.forbidden' });
  });

  it('takes the lesser of an alias and the actor behind it', () => {
    expect(decideAccess(user, { kind: 'alias', permission: 'UPDATE', behind: 'UPDATE' }, 'update')).toBeUndefined();
  });
});

describe('what a request wants', () => {
  it.each([
    ['GET', '/actors/:actor_id', 'read'],
    ['HEAD', '/actors/:actor_id/messages', 'read'],
    ['POST', '/actors/:actor_id/messages', 'execute'],
    ['DELETE', '/actors/:actor_id/messages', 'update'],
    ['POST', '/actors/:actor_id/workers', 'staff'],
    ['DELETE', '/actors/:actor_id/workers/:worker_id', 'update'],
    ['POST', '/actors/:actor_id/nonces', 'update'],
    ['PUT', '/actors/aliases/:alias', 'update'],
    ['POST', '/somewhere/new', 'update'],
  ])('is by its verb and route: %s %s is to %s', (method, route, verb) => {
    expect(verbOf(method, route)).toBe(verb);
  });
});

describe('the effective permission', () => {
  it('is the larger of own and world', () => {
    for (const own of permissions) {
      for (const world of permissions) {
        const have = effectivePermission({ own, world }, true);
        expect(have).toBe(permits(own, world) ? own : world);
        expect(least(have, own)).toBe(own);
      }
    }
  });

  it('is UPDATE for an owner of whom the map says nothing, and NONE for others', () => {
    expect(effectivePermission({ own: undefined, world: undefined }, true)).toBe('UPDATE');
    expect(effectivePermission({ own: undefined, world: 'READ' }, true)).toBe('UPDATE');
    expect(effectivePermission({ own: undefined, world: undefined }, false)).toBe('NONE');
    expect(effectivePermission({ own: undefined, world: 'READ' }, false)).toBe('READ');
  });
});

describe('a path with the text "admin"', () => {
  it('is for administrators', () => {
    expect(refuseAdminPath(user, ['/actors/:actor_id', 'my-admin'])).toMatchObject({
      message: 'Abaco Admin role required.',
    });
    expect(refuseAdminPath(admin, ['my-admin'])).toBeUndefined();
    expect(refuseAdminPath(user, ['/actors/:actor_id', 'mine'])).toBeUndefined();
  });
});
