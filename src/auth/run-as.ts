/** Who the programs of an actor run as, and what they see of file systems: worked out anew at each registration and start. */

import type { Actor } from '../actors/actor.ts';
import { fillMountPath } from '../config/mount-templates.ts';
import type { Config } from '../config/schema.ts';
import { type ForbiddenError, InvalidError } from '../errors.ts';
import type { LauncherTable } from '../launcher/launcher-table.ts';
import type { Identities } from './identities.ts';
import { planMounts } from './plan-mounts.ts';
import { type PosixIdentity, unknownUser } from './posix-identity.ts';

/** What the server works out for an actor (contract §§9.4, 9.5). */
export type RunAs = Pick<Actor, 'uid' | 'gid' | 'groups' | 'tasdir' | 'mounts'>;

export type RunAsRequest = Pick<Actor, 'tenant' | 'owner' | 'privileged'> & {
  /** Name of the launcher that runs it. */
  readonly launcher: string;
};

export interface RunAsPlanner {
  /**
   * @throws ForbiddenError `identity.*` for an owner who runs nothing; InvalidError for a mount that cannot be;
   * UnavailableError when nobody can say who the owner is.
   */
  of(request: RunAsRequest): Promise<RunAs>;
}

type Settings = Pick<Config, 'tenants' | 'identity' | 'mounts'>;

export function createRunAsPlanner(parts: {
  readonly config: Settings;
  readonly identities: Identities;
  readonly launchers: Pick<LauncherTable, 'byName'>;
}): RunAsPlanner {
  return {
    async of(request) {
      const launcher = parts.launchers.byName(request.launcher)?.launcher;
      const identity = await parts.identities.of(request);
      if (!identity && launcher?.capabilities.asOwner === true) throw nobodySays(request);
      const planned = planRunAs(request, identity, parts.config);
      const exported = planned.mounts.find((mount) => mount.nfs !== undefined);
      if (launcher && exported && launcher.capabilities.nfsMounts !== true) {
        const why = `launcher "${request.launcher}" cannot mount it from a file server; an operator gives the directory in its "paths"`;
        throw new InvalidError('mount.invalid', `Mount at "${exported.containerPath}" is impossible: ${why}`);
      }
      return planned;
    },
  };
}

/** A name alone is nobody: on a host where tenants meet it is whoever has it there. */
function nobodySays({ tenant, owner, launcher }: RunAsRequest): ForbiddenError {
  const help = `an operator names a directory for tenant "${tenant}", or the user in its "users"`;
  return unknownUser(
    owner,
    `launcher "${launcher}" runs programs as the owner of their actor, and nobody says who that is; ${help}`,
  );
}

export function planRunAs(request: RunAsRequest, identity: PosixIdentity | undefined, config: Settings): RunAs {
  const { tenant, owner } = request;
  const home = identity?.home ?? '';
  const work = identity?.work ?? workOf({ tenant, owner, home }, config);
  return {
    uid: textOrNull(identity?.uid),
    gid: textOrNull(identity?.gid),
    groups: identity?.groups ?? [],
    tasdir: home === '' ? null : home,
    mounts: planMounts(config.mounts, { ...request, home, work }),
  };
}

function workOf(
  who: { readonly tenant: string; readonly owner: string; readonly home: string },
  { tenants, identity }: Settings,
): string {
  const ofTenant = Object.hasOwn(tenants, who.tenant) ? tenants[who.tenant]?.work : undefined;
  const template = ofTenant || identity.work;
  try {
    return template === '' ? '' : (fillMountPath(template, { ...who, work: '' }) ?? '');
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    const user = JSON.stringify(who.owner);
    throw new InvalidError('mount.invalid', `Work directory of user ${user} is impossible: ${thrown.message}`);
  }
}

function textOrNull(number: number | undefined): string | null {
  return number === undefined ? null : String(number);
}
