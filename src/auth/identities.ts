/**
 * Who the owner of an actor is on file systems. The first that says it: the user's own line in the configuration of the
 * tenant, the directory, the user that the tenant or the site has for all. Asked at each registration and each start.
 */

import type { Config } from '../config/schema.ts';
import type { Clock } from '../lib/clock.ts';
import { anonymous } from './caller.ts';
import { createDirectory, type Directory } from './ldap-directory.ts';
import { checkUid, identityByRule, type PosixIdentity, unknownUser } from './posix-identity.ts';

export interface Identities {
  /**
   * @returns nothing where nobody says who owners are: programs then run as the user of their image.
   * @throws ForbiddenError `identity.*`; UnavailableError when the directory does not answer.
   */
  of(who: { readonly tenant: string; readonly owner: string }): Promise<PosixIdentity | undefined>;
}

type Settings = Pick<Config, 'tenants' | 'identity' | 'directory'>;

export function createIdentities({ tenants, identity, directory }: Settings, clock: Clock): Identities {
  const { minUid } = identity;
  const people = directory.url === '' ? undefined : createDirectory({ ...directory, minUid }, clock);

  function directoryOf(tenant: string): Directory | undefined {
    return directory.tenants.length === 0 || directory.tenants.includes(tenant) ? people : undefined;
  }

  return {
    async of({ tenant, owner }) {
      const settings = Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
      const shared = settings && settings.actorUid !== null ? settings : identity;
      const everyone = sharedIdentity(owner, shared);
      // Nobody is looked up who is nobody.
      if (owner === anonymous) return everyone && checkUid(everyone, minUid);
      const rule = settings && Object.hasOwn(settings.users, owner) ? settings.users[owner] : undefined;
      if (rule) return identityByRule(owner, rule, minUid);
      const found = directoryOf(tenant);
      if (found) return await found.find(owner);
      if (everyone) return checkUid(everyone, minUid);
      if (settings && Object.keys(settings.users).length > 0) {
        throw unknownUser(owner, `tenant "${tenant}" has users of its own, and nobody of that name among them`);
      }
      return undefined;
    },
  };
}

function sharedIdentity(
  user: string,
  { actorUid, actorGid, actorHome }: Pick<Settings['identity'], 'actorUid' | 'actorGid' | 'actorHome'>,
): PosixIdentity | undefined {
  // The configuration has both or neither.
  if (actorUid === null || actorGid === null) return undefined;
  return { user, uid: actorUid, gid: actorGid, groups: [], home: actorHome };
}
