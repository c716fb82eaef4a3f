/** Which directories the programs of an actor see, and where, from the mounts of the configuration. Pure. */

import { fillMountPath, type MountOwner, parseMountSource, problemOfPlace } from '../config/mount-templates.ts';
import type { Config } from '../config/schema.ts';
import { InvalidError } from '../errors.ts';
import type { Mount } from '../launcher/launcher.ts';

export interface MountedActor extends MountOwner {
  readonly privileged: boolean;
  /** Name of the launcher it runs on. */
  readonly launcher: string;
}

type MountRule = Config['mounts'][string];

/**
 * In the order in which they can be made: what contains another comes before it.
 *
 * @throws InvalidError when the name or a directory of the owner cannot stand in a path, or two meet at one place.
 */
export function planMounts(rules: Config['mounts'], actor: MountedActor): readonly Mount[] {
  const mounts = new Map<string, Mount>();
  for (const [name, rule] of Object.entries(rules)) {
    const mount = appliesTo(rule, actor) ? planMount(name, rule, actor) : undefined;
    if (!mount) continue;
    if (mounts.has(mount.containerPath)) throw invalid(name, actor, `another is at "${mount.containerPath}" already`);
    mounts.set(mount.containerPath, mount);
  }
  return [...mounts.values()].toSorted((one, other) => (one.containerPath < other.containerPath ? -1 : 1));
}

function appliesTo({ tenants, privileged }: MountRule, actor: MountedActor): boolean {
  return (tenants.length === 0 || tenants.includes(actor.tenant)) && (actor.privileged || !privileged);
}

function planMount(name: string, rule: MountRule, actor: MountedActor): Mount | undefined {
  const given = Object.hasOwn(rule.paths, actor.launcher) ? rule.paths[actor.launcher] : rule.path;
  if (given === undefined || given === '') return undefined;
  const source = parseMountSource(given);
  const [hostPath, containerPath] = [source.path, rule.container].map((template) => fill(name, template, actor));
  if (hostPath === undefined || containerPath === undefined) return undefined;
  const problem = problemOfPlace(containerPath);
  if (problem !== undefined) throw invalid(name, actor, `it is at "${containerPath}", and ${problem}`);
  const mount = { hostPath, containerPath, mode: rule.mode };
  if (source.kind === 'directory') return mount;
  return { ...mount, nfs: { server: source.server, options: rule.nfsOptions } };
}

function fill(name: string, template: string, actor: MountedActor): string | undefined {
  try {
    return fillMountPath(template, actor);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw invalid(name, actor, `its path ${JSON.stringify(template)} cannot be filled: ${thrown.message}`);
  }
}

function invalid(name: string, { owner }: MountedActor, why: string): InvalidError {
  return new InvalidError('mount.invalid', `Mount "${name}" is impossible for user ${JSON.stringify(owner)}: ${why}`);
}
