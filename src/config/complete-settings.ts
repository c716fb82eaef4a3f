/** Gives tables that an operator adds (a registry, a mount) the settings they leave out, and finds what they must not. */

import type { ConfigProblem } from '../errors.ts';
import type { MergedSettings } from './merge-layers.ts';
import type { SchemaNode } from './setting.ts';
import { renderPath, type SettingPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

/**
 * Changes `merged`, whose tree stands at `path`.
 *
 * @returns a problem for each setting that is missing and has no default.
 */
export function completeSettings(
  node: SchemaNode,
  merged: MergedSettings,
  path: SettingPath = [],
): readonly ConfigProblem[] {
  return complete(node, merged.tree, path, merged.origins);
}

function complete(node: SchemaNode, value: unknown, path: SettingPath, origins: Map<string, string>): ConfigProblem[] {
  const item = node.items ?? node.patternProperties?.['^.*$'];
  if (Array.isArray(value)) {
    return item ? value.flatMap((element, index) => complete(item, element, [...path, index], origins)) : [];
  }
  if (!isTable(value)) return [];
  const missing = Object.keys(node.properties ?? {}).flatMap((key) =>
    Object.hasOwn(value, key) ? [] : fill(node, key, value, [...path, key], origins),
  );
  const inner = Object.entries(value).flatMap(([key, element]) => {
    const schema = node.properties?.[key] ?? item;
    return schema ? complete(schema, element, [...path, key], origins) : [];
  });
  return [...missing, ...inner];
}

function fill(
  node: SchemaNode,
  key: string,
  table: SettingsTree,
  path: SettingPath,
  origins: Map<string, string>,
): ConfigProblem[] {
  const name = renderPath(path);
  const value = node.properties?.[key]?.default;
  if (value !== undefined) {
    table[key] = structuredClone(value);
    origins.set(name, 'default');
  } else if (node.required?.includes(key)) {
    const where = origins.get(renderPath(path.slice(0, -1))) ?? 'configuration';
    return [{ path: name, where, message: `Setting "${name}" is missing` }];
  }
  return [];
}
