/** Lays settings over one another and remembers where each came from. */

import { renderPath, type SettingPath } from './setting-path.ts';
import { isTable, type SettingsTree } from './settings-tree.ts';

export interface ReadLayer {
  readonly tree: SettingsTree;
  readonly where: (path: SettingPath) => string;
  /** Relative paths start here. */
  readonly directory: string;
}

export interface MergedSettings {
  readonly tree: SettingsTree;
  /** By `renderPath`; tables have the origin of the last layer that mentions them. */
  readonly origins: Map<string, string>;
  /** By `renderPath`: where the relative paths of a setting start. */
  readonly directories: ReadonlyMap<string, string>;
}

/** Later layers win. Tables are merged key by key; lists and all else are replaced whole. */
export function mergeLayers(layers: readonly ReadLayer[]): MergedSettings {
  const origins = new Map<string, string>();
  const directories = new Map<string, string>();
  const tree: SettingsTree = {};
  for (const layer of layers) lay({ layer, origins, directories }, tree, layer.tree, []);
  return { tree, origins, directories };
}

interface Laying {
  readonly layer: ReadLayer;
  readonly origins: Map<string, string>;
  readonly directories: Map<string, string>;
}

function lay(laying: Laying, target: SettingsTree, source: SettingsTree, path: SettingPath): void {
  for (const [key, value] of Object.entries(source)) {
    const at = [...path, key];
    const below = target[key];
    if (isTable(value)) {
      note(laying, at);
      const table: SettingsTree = isTable(below) ? below : {};
      target[key] = table;
      lay(laying, table, value, at);
    } else {
      forget(laying.origins, renderPath(at));
      noteAll(laying, at, value);
      target[key] = value;
    }
  }
}

function note({ layer, origins, directories }: Laying, path: SettingPath): void {
  origins.set(renderPath(path), layer.where(path));
  directories.set(renderPath(path), layer.directory);
}

function noteAll(laying: Laying, path: SettingPath, value: unknown): void {
  note(laying, path);
  const inner = Array.isArray(value) ? [...value.entries()] : isTable(value) ? Object.entries(value) : [];
  for (const [key, element] of inner) noteAll(laying, [...path, key], element);
}

function forget(origins: Map<string, string>, name: string): void {
  for (const key of origins.keys()) if (key.startsWith(`${name}[`) || key.startsWith(`${name}.`)) origins.delete(key);
}
