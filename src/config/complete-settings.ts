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
  return complete(merged, node, merged.tree, path);
}

function complete(merged: MergedSettings, node: SchemaNode, value: unknown, path: SettingPath): ConfigProblem[] {
  const item = node.items ?? node.patternProperties?.['^.*$'];
  if (Array.isArray(value)) {
    return item ? value.flatMap((element, index) => complete(merged, item, element, [...path, index])) : [];
  }
  if (!isTable(value)) return [];
  const missing = Object.keys(node.properties ?? {}).flatMap((key) =>
    Object.hasOwn(value, key) ? [] : fill(merged, node, key, value, [...path, key]),
  );
  const inner = Object.entries(value).flatMap(([key, element]) => {
    const schema = node.properties?.[key] ?? item;
    return schema ? complete(merged, schema, element, [...path, key]) : [];
  });
  return [...missing, ...inner];
}

function fill(
  { tree, origins }: MergedSettings,
  node: SchemaNode,
  key: string,
  table: SettingsTree,
  path: SettingPath,
): ConfigProblem[] {
  const name = renderPath(path);
  const { default: byDefault, otherwise } = node.properties?.[key] ?? {};
  const value = otherwise ? valueAt(tree, otherwise) : byDefault;
  if (value !== undefined) {
    table[key] = structuredClone(value);
    origins.set(name, (otherwise && origins.get(renderPath(otherwise))) ?? 'default');
  } else if (!otherwise && node.required?.includes(key)) {
    const where = origins.get(renderPath(path.slice(0, -1))) ?? 'configuration';
    return [{ path: name, where, message: `Setting "${name}" is missing` }];
  }
  return [];
}

/** Nothing where it was refused, which is reported there. */
function valueAt(tree: SettingsTree, path: SettingPath): unknown {
  return path.reduce<unknown>((inner, key) => (isTable(inner) ? inner[key] : undefined), tree);
}
