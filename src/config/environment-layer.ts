/**
 * Settings from the environment: `redis.url` is `ABACO_REDIS_URL`, or `ABACO_REDIS_URL_FILE` for a file that holds it.
 * Tables with names of the operator's own (launchers, queues, registries) and lists are for files only.
 */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ConfigProblem } from '../errors.ts';
import { type Layer, reasonOf } from './layer.ts';
import { nearestKey } from './nearest-key.ts';
import { readVariable } from './read-value.ts';
import type { SchemaNode } from './setting.ts';
import { renderPath, type SettingPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Ours, but no settings: the site file, what the client commands and programs in containers are told, tests. */
const reserved = /^ABACO_(CONFIG|URL|TOKEN|RESULTS_SOCKET|RESULT_LIMIT|TEST_.*)$/;

export interface EnvironmentReading {
  readonly layer: Layer;
  readonly problems: readonly ConfigProblem[];
}

/** Reads every variable that begins with `ABACO_`; one that means nothing is a mistake, not noise. */
export function readEnvironmentLayer({
  node,
  env,
  directory,
}: {
  readonly node: SchemaNode;
  readonly env: Environment;
  readonly directory: string;
}): EnvironmentReading {
  const settings = variableSettings(node);
  const problems: ConfigProblem[] = [];
  const names = new Map<string, string>();
  const tree: SettingsTree = {};
  for (const [name, value] of ourVariables(env)) {
    const found = findSetting(settings, name);
    const key = found ? renderPath(found.setting.path) : name;
    const report = (message: string) => problems.push({ path: key, where: `environment ${name}`, message });
    const earlier = names.get(key);
    if (!found) report(unknownVariable(name, [...settings.keys()]));
    else if (earlier !== undefined) report(`Variables "${earlier}" and "${name}" give the same setting; keep one`);
    else {
      const read = found.fromFile
        ? readValueFile(name, resolve(directory, value), found.setting.node)
        : { text: value };
      names.set(key, name);
      if ('text' in read) place(tree, found.setting.path, readVariable(found.setting.node, read.text));
      else report(read.problem);
    }
  }
  const where = (path: SettingPath) => `environment ${names.get(renderPath(path)) ?? ''}`.trim();
  return { layer: { tree, directory, where }, problems };
}

export interface VariableSetting {
  readonly path: readonly string[];
  readonly node: SchemaNode;
}

/** Every setting that a variable can give, by the variable's name. */
export function variableSettings(node: SchemaNode): ReadonlyMap<string, VariableSetting> {
  return new Map(scalarSettings(node, []).map((setting) => [`ABACO_${setting.path.join('_').toUpperCase()}`, setting]));
}

function scalarSettings(node: SchemaNode, path: readonly string[]): readonly VariableSetting[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, property]) =>
    property.setting ? [{ path: [...path, key], node: property }] : scalarSettings(property, [...path, key]),
  );
}

function ourVariables(env: Environment): readonly (readonly [name: string, value: string])[] {
  return Object.entries(env).flatMap(([name, value]) =>
    name.startsWith('ABACO_') && !reserved.test(name) && value !== undefined ? [[name, value] as const] : [],
  );
}

function findSetting(settings: ReadonlyMap<string, VariableSetting>, name: string) {
  const setting = settings.get(name);
  if (setting) return { setting, fromFile: false };
  const named = name.endsWith('_FILE') ? settings.get(name.slice(0, -'_FILE'.length)) : undefined;
  return named && { setting: named, fromFile: true };
}

function unknownVariable(name: string, known: readonly string[]): string {
  return `Variable "${name}" is not known; the nearest known one is "${nearestKey(name, known)}"`;
}

/** The path stays out of the message where the setting is secret: it may be the secret itself, given to the wrong name. */
function readValueFile(name: string, file: string, node: SchemaNode): { text: string } | { problem: string } {
  try {
    return { text: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (thrown) {
    const what = node.setting?.secret === undefined ? `file "${file}"` : 'a file';
    return { problem: `Variable "${name}" names ${what} that cannot be read: ${reasonOf(thrown)}` };
  }
}

function place(tree: SettingsTree, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  const inner = tree[key];
  const next: SettingsTree = isTable(inner) ? inner : {};
  tree[key] = next;
  place(next, rest, value);
}
