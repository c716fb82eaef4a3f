/** Settings with a sibling `…_file`: the value may stand in a file of its own, so that secrets are in no configuration. */

import { readFileSync } from 'node:fs';
import type { ConfigProblem } from '../errors.ts';
import { reasonOf } from './layer.ts';
import type { MergedSettings } from './merge-layers.ts';
import type { SchemaNode } from './setting.ts';
import { renderPath, type SettingPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

const suffix = '_file';

/** Puts the content of each file into the setting it belongs to. Changes `merged`. */
export function readValueFiles(node: SchemaNode, merged: MergedSettings): readonly ConfigProblem[] {
  return fileSettings(node, merged.tree, []).flatMap(({ table, key, path }) => {
    const from = renderPath([...path, key + suffix]);
    const where = merged.origins.get(from) ?? 'configuration';
    const problem = readInto(table, key);
    if (problem !== undefined) return [{ path: from, where, message: `Setting "${from}" ${problem}` }];
    merged.origins.set(renderPath([...path, key]), `${where}, from the file`);
    return [];
  });
}

interface FileSetting {
  readonly table: SettingsTree;
  /** Of the value, without `_file`. */
  readonly key: string;
  readonly path: SettingPath;
}

function fileSettings(node: SchemaNode, value: unknown, path: SettingPath): readonly FileSetting[] {
  if (!isTable(value)) return [];
  const { properties = {}, patternProperties } = node;
  const own = Object.keys(properties)
    .filter((key) => Object.hasOwn(properties, key + suffix) && (value[key + suffix] ?? '') !== '')
    .map((key) => ({ table: value, key, path }));
  const inner = Object.entries(value).flatMap(([key, element]) => {
    const schema = properties[key] ?? patternProperties?.['^.*$'];
    return schema ? fileSettings(schema, element, [...path, key]) : [];
  });
  return [...own, ...inner];
}

/** @returns what is wrong, if anything is. */
function readInto(table: SettingsTree, key: string): string | undefined {
  if (table[key] !== '') return `stands beside ${key}; keep one of them`;
  try {
    table[key] = readFileSync(String(table[key + suffix]), 'utf8').replace(/\r?\n$/, '');
    return undefined;
  } catch (thrown) {
    return `names a file that cannot be read: ${reasonOf(thrown)}`;
  }
}
