/** Writes the merged configuration as TOML that can be used again, secrets masked, each setting with its origin. */

import { renderNumber } from './expectation.ts';
import type { LoadedConfig } from './load.ts';
import { configNode } from './schema.ts';
import { maskSecrets } from './secrets.ts';
import type { SchemaNode } from './setting.ts';
import { renderKey, renderPath, renderText, type SettingPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

/** One setting as it may be shown. */
export interface ShownSetting {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
}

export function renderConfig({ settings, origins }: LoadedConfig): string {
  const lines = renderTable({ node: configNode, origins }, settings, []);
  return `${lines.join('\n').trim()}\n`;
}

/** The same as a list, for programs. */
export function showSettings({ settings, origins }: LoadedConfig): readonly ShownSetting[] {
  const show = (node: SchemaNode | undefined, value: unknown, path: SettingPath): readonly ShownSetting[] => {
    if (isTable(value)) {
      return Object.entries(value).flatMap(([key, inner]) => show(nodeOf(node, key), inner, [...path, key]));
    }
    const shown = maskAll(node, value, String(path.at(-1)));
    return [{ path: renderPath(path), value: shown, origin: origins.get(renderPath(path)) ?? 'default' }];
  };
  return show(configNode, settings, []);
}

interface Rendering {
  readonly node: SchemaNode | undefined;
  readonly origins: ReadonlyMap<string, string>;
}

function renderTable({ node, origins }: Rendering, table: SettingsTree, path: SettingPath): readonly string[] {
  const entries = Object.entries(table);
  const settings = entries.filter(([, value]) => !isTable(value) && !isTableList(value));
  const lines = settings.map(([key, value]) => ({
    text: `${renderKey(key)} = ${renderValue(nodeOf(node, key), value, key)}`,
    origin: origins.get(renderPath([...path, key])) ?? 'default',
  }));
  const width = Math.min(56, Math.max(0, ...lines.map(({ text }) => text.length)));
  const inner = entries.flatMap(([key, value]) => {
    const rendering = { node: nodeOf(node, key), origins };
    if (isTable(value))
      return [...header(`[${renderKeys([...path, key])}]`, value), ...renderTable(rendering, value, [...path, key])];
    return isTableList(value) ? renderElements(rendering, value, [...path, key]) : [];
  });
  return [...lines.map(({ text, origin }) => `${text.padEnd(width)}  # from ${origin}`), ...inner];
}

function renderElements({ node, origins }: Rendering, list: readonly SettingsTree[], path: SettingPath) {
  return list.flatMap((element, index) => [
    '',
    `[[${renderKeys(path)}]]`,
    ...renderTable({ node: node?.items, origins }, element, [...path, index]),
  ]);
}

/** A table of nothing but tables needs no header of its own. */
function header(text: string, table: SettingsTree): readonly string[] {
  const values = Object.values(table);
  return values.length > 0 && values.every((value) => isTable(value) || isTableList(value)) ? [] : ['', text];
}

function renderKeys(path: SettingPath): string {
  return path
    .filter((segment) => typeof segment === 'string')
    .map(renderKey)
    .join('.');
}

function isTableList(value: unknown): value is readonly SettingsTree[] {
  return Array.isArray(value) && value.length > 0 && value.every(isTable);
}

function nodeOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  return node?.properties?.[key] ?? node?.patternProperties?.['^.*$'];
}

function renderValue(node: SchemaNode | undefined, value: unknown, key: string): string {
  const kind = node?.setting?.kind;
  if (value === null) return '"none"';
  if (typeof value === 'number' && (kind === 'duration' || kind === 'bytes'))
    return renderText(renderNumber(kind)(value));
  return renderPlain(maskAll(node, value, key));
}

function renderPlain(value: unknown): string {
  if (typeof value === 'string') return renderText(value);
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return `[${value.map(renderPlain).join(', ')}]`;
  if (!isTable(value)) return String(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${renderKey(key)} = ${renderPlain(inner)}`);
  return `{ ${pairs.join(', ')} }`;
}

/** Also inside lists and the tables in them. */
function maskAll(node: SchemaNode | undefined, value: unknown, key: string): unknown {
  if (Array.isArray(value)) return value.map((element) => maskAll(node?.items, element, key));
  if (!isTable(value)) return maskSecrets(value, node, key);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, maskAll(nodeOf(node, name), inner, name)]),
  );
}
