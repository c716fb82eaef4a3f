/** Reads a table against its schema and lists everything that is wrong in it. */

import { Value } from 'typebox/value';
import type { ConfigProblem } from '../errors.ts';
import { describeExpectation, describeFound } from './expectation.ts';
import { nearestKey } from './nearest-key.ts';
import { readValue, type Surroundings } from './read-value.ts';
import type { SchemaNode } from './setting.ts';
import { renderPath, type SettingPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

export interface ReadSettingsOptions {
  readonly node: SchemaNode;
  readonly tree: SettingsTree;
  /** Of `tree` itself; empty for a whole file. */
  readonly path: SettingPath;
  readonly where: (path: SettingPath) => string;
  readonly surroundings: (path: SettingPath) => Surroundings;
}

export interface SettingsReading {
  /** What could be read; what could not is left out. */
  readonly tree: SettingsTree;
  readonly problems: readonly ConfigProblem[];
}

/** Absent keys are no problem here: another layer may have them. Also for the options of one launcher. */
export function readSettings({ node, tree, path, where, surroundings }: ReadSettingsOptions): SettingsReading {
  const problems: ConfigProblem[] = [];
  const walk: Walk = {
    fixed: fixedPaths(node, path),
    surroundings,
    report: (at, message) => problems.push({ path: renderPath(at), where: where(at), message }),
  };
  return { tree: readTable(walk, node, tree, path), problems };
}

interface Walk {
  /** Of the whole schema, to find what a mistyped key meant. */
  readonly fixed: readonly string[];
  readonly surroundings: ReadSettingsOptions['surroundings'];
  readonly report: (path: SettingPath, message: string) => void;
}

const refused = Symbol('refused');

function readNode(walk: Walk, node: SchemaNode, value: unknown, path: SettingPath): unknown {
  const isLeaf = !node.properties && !node.patternProperties && !node.items;
  if (isLeaf) return readLeaf(walk, node, value, path);
  if (node.items && Array.isArray(value)) return readList(walk, node.items, value, path);
  if (!node.items && isTable(value)) return readTable(walk, node, value, path);
  return refuse(walk, node, value, path);
}

function readLeaf(walk: Walk, node: SchemaNode, value: unknown, path: SettingPath): unknown {
  const read = readValue(node, value, walk.surroundings(path));
  return Value.Check(node, read) ? read : refuse(walk, node, value, path);
}

function refuse(walk: Walk, node: SchemaNode, value: unknown, path: SettingPath): typeof refused {
  const what = node.properties || node.patternProperties ? 'Table' : 'Setting';
  walk.report(
    path,
    `${what} "${renderPath(path)}" expects ${describeExpectation(node)}, found ${describeFound(node, value, String(path.at(-1)))}`,
  );
  return refused;
}

function readList(walk: Walk, item: SchemaNode, list: readonly unknown[], path: SettingPath): unknown[] {
  return list.map((value, index) => readNode(walk, item, value, [...path, index])).filter((value) => value !== refused);
}

function readTable(walk: Walk, node: SchemaNode, tree: SettingsTree, path: SettingPath): SettingsTree {
  const read = Object.entries(tree).flatMap(([key, value]) => {
    const inner = readEntry(walk, node, key, value, [...path, key]);
    return inner === refused ? [] : [[key, inner] as const];
  });
  return Object.fromEntries(read);
}

function readEntry(walk: Walk, node: SchemaNode, key: string, value: unknown, path: SettingPath): unknown {
  const property = Object.hasOwn(node.properties ?? {}, key) ? node.properties?.[key] : undefined;
  if (property) return readNode(walk, property, value, path);
  const item = node.patternProperties?.['^.*$'];
  if (item) return isUsableName(walk, node, key, path) ? readNode(walk, item, value, path) : refused;
  if (node.additionalProperties !== false && !node.patternProperties) return value;
  walk.report(path, unknownKey(path, node, walk.fixed));
  return refused;
}

function isUsableName(walk: Walk, { names }: SchemaNode, key: string, path: SettingPath): boolean {
  if (names === undefined || new RegExp(names.pattern).test(key)) return true;
  walk.report(path, `Name ${JSON.stringify(key)} cannot be used here: expects ${names.expects}`);
  return false;
}

function unknownKey(path: SettingPath, node: SchemaNode, fixed: readonly string[]): string {
  const beside = Object.keys(node.properties ?? {}).map((key) => renderPath([...path.slice(0, -1), key]));
  const name = renderPath(path);
  const nearest = nearestKey(name, [...beside, ...fixed]);
  return `Setting "${name}" is not known${nearest === undefined ? '' : `; the nearest known one is "${nearest}"`}`;
}

/** Tables and settings of `node` that stand at a fixed place, not below a name the operator chooses. */
function fixedPaths(node: SchemaNode, path: SettingPath): readonly string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, property]) => {
    const at = [...path, key];
    return [renderPath(at), ...fixedPaths(property, at)];
  });
}
