/** Which settings of owners and their directories have to fit one another. */

import type { Mismatch } from './mismatch.ts';
import { fillMountPath, parseMountSource, problemOfPlace } from './mount-templates.ts';
import type { Config } from './schema.ts';
import { renderPath, type SettingPath } from './setting-path.ts';

export const ownerChecks = [sharedUsers, workDirectories, namedTenants, mountSources, mountPaths, mountPlaces];

type OwnerConfig = Pick<Config, 'identity' | 'tenants' | 'directory' | 'queues' | 'mounts' | 'launchers'>;

/** A user and a group are named together, and root is nobody's user. */
function sharedUsers({ identity, tenants }: OwnerConfig): readonly Mismatch[] {
  const tables: readonly (readonly [SettingPath, Pick<Config['identity'], 'actorUid' | 'actorGid'>])[] = [
    [['identity'], identity],
    ...Object.entries(tenants).map(([name, tenant]) => [['tenants', name], tenant] as const),
  ];
  return tables.flatMap(([at, { actorUid, actorGid }]): readonly Mismatch[] => {
    const [uid, gid] = [
      [...at, 'actor_uid'],
      [...at, 'actor_gid'],
    ] as const;
    if (actorGid !== null && actorUid === null) {
      const message = `Setting "${renderPath(gid)}" needs ${renderPath(uid)}: a group alone does not name a user`;
      return [{ paths: [gid, uid], message }];
    }
    if (actorUid !== null && actorGid === null) {
      const message = `Setting "${renderPath(uid)}" needs ${renderPath(gid)}: without it an image says which groups its programs are in`;
      return [{ paths: [uid, gid], message }];
    }
    if (actorUid === null || actorUid >= identity.minUid) return [];
    const message = `Setting "${renderPath(uid)}" is ${actorUid}, below identity.min_uid, ${identity.minUid}: programs do not run as the system's users`;
    return [{ paths: [uid, ['identity', 'min_uid']], message }];
  });
}

const someone = { tenant: 'TENANT', owner: 'user', home: '/home', work: '/work' };

function workDirectories({ identity, tenants }: OwnerConfig): readonly Mismatch[] {
  const settings: readonly (readonly [SettingPath, string])[] = [
    [['identity', 'work'], identity.work],
    ...Object.entries(tenants).map(([name, { work }]) => [['tenants', name, 'work'], work] as const),
  ];
  return settings.flatMap(([path, template]) => {
    if (template === '') return [];
    const problem = template.includes('{work}') ? '{work} is what it says itself' : problemOfPath(template);
    return problem === undefined ? [] : [unusable(path, problem)];
  });
}

function namedTenants({ directory, queues, mounts, tenants }: OwnerConfig): readonly Mismatch[] {
  const known = Object.keys(tenants);
  const lists: readonly (readonly [SettingPath, readonly string[]])[] = [
    [['directory', 'tenants'], directory.tenants],
    ...Object.entries(queues).map(([name, queue]) => [['queues', name, 'tenants'], queue.tenants] as const),
    ...Object.entries(mounts).map(([name, mount]) => [['mounts', name, 'tenants'], mount.tenants] as const),
  ];
  return lists.flatMap(([path, names]) => {
    // Where no tenant is configured, any name is one.
    const unknown = known.length === 0 ? undefined : names.find((name) => !known.includes(name));
    if (unknown === undefined) return [];
    const message = `Setting "${renderPath(path)}" names tenant "${unknown}", which is not there; known tenants: ${known.join(', ')}`;
    return [{ paths: [path, ['tenants']], message }];
  });
}

/** On launchers that are there, and on one at least. */
function mountSources({ mounts, launchers }: OwnerConfig): readonly Mismatch[] {
  return Object.entries(mounts).flatMap(([name, { path, paths }]): readonly Mismatch[] => {
    const unknown = Object.keys(paths).filter((launcher) => !Object.hasOwn(launchers, launcher));
    if (path === '' && Object.keys(paths).length === 0) {
      const message = `Mount "${name}" says no directory: it needs path, or paths with one for a launcher`;
      return [{ paths: [['mounts', name]], message }];
    }
    return unknown.map((launcher) => ({
      paths: [['mounts', name, 'paths', launcher]],
      message: `Mount "${name}" names launcher "${launcher}", which is not there; known launchers: ${Object.keys(launchers).join(', ')}`,
    }));
  });
}

function mountPaths({ mounts }: OwnerConfig): readonly Mismatch[] {
  return Object.entries(mounts).flatMap(([name, { container, path, paths }]) => {
    const sources: readonly (readonly [SettingPath, string])[] = [
      [['mounts', name, 'path'], path],
      ...Object.entries(paths).map(([launcher, source]) => [['mounts', name, 'paths', launcher], source] as const),
    ];
    const wrong = sources.flatMap(([at, source]) => {
      const problem = source === '' ? undefined : problemOfPath(parseMountSource(source).path);
      return problem === undefined ? [] : [unusable(at, problem)];
    });
    const problem = problemOfPath(container) ?? problemOfPlace(container ?? '');
    return problem === undefined ? wrong : [...wrong, unusable(['mounts', name, 'container'], problem)];
  });
}

/** The program would find only one of two directories mounted at the same place. */
function mountPlaces({ mounts }: OwnerConfig): readonly Mismatch[] {
  const all = Object.entries(mounts);
  return all.flatMap(([name, mount], index) => {
    const rival = all.slice(0, index).find(([, other]) => other.container === mount.container && meet(other, mount));
    if (!rival) return [];
    const path: SettingPath = ['mounts', name, 'container'];
    const message = `Setting "${renderPath(path)}" mounts a second directory at "${mount.container}", where mount "${rival[0]}" is`;
    return [{ paths: [path], message }];
  });
}

type MountRule = Config['mounts'][string];

/** Whether an actor can have both. */
function meet(one: MountRule, other: MountRule): boolean {
  const sameTenant =
    one.tenants.length === 0 ||
    other.tenants.length === 0 ||
    one.tenants.some((tenant) => other.tenants.includes(tenant));
  const isOn = (rule: MountRule, launcher: string): boolean => rule.path !== '' || Object.hasOwn(rule.paths, launcher);
  const sameLauncher =
    (one.path !== '' && other.path !== '') ||
    [...Object.keys(one.paths), ...Object.keys(other.paths)].some((name) => isOn(one, name) && isOn(other, name));
  return sameTenant && sameLauncher;
}

/** As it is for somebody who has everything that words stand for. One that is missing is a mistake of another sort. */
function problemOfPath(template: string | undefined): string | undefined {
  try {
    if (template === undefined) return undefined;
    fillMountPath(template, someone);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof RangeError) return thrown.message;
    throw thrown;
  }
}

function unusable(path: SettingPath, problem: string): Mismatch {
  return { paths: [path], message: `Setting "${renderPath(path)}" cannot be used: ${problem}` };
}
