import type { ConfigProblem } from '../errors.ts';
import { completeSettings } from './complete-settings.ts';
import type { LoadedConfig } from './load.ts';
import { readSettings } from './read-settings.ts';
import type { SchemaNode } from './setting.ts';
import { renderPath, type SettingPath } from './setting-path.ts';
import type { SettingsTree } from './settings-tree.ts';

export interface LauncherOptionsRequest {
  /** In `[launchers]`. */
  readonly name: string;
  /** JSON Schema of the kind's options: a table. */
  readonly schema: object;
  readonly loaded: LoadedConfig;
}

/**
 * Reads one launcher's table, without its `kind`, as that kind's schema wants it; defaults of the schema are filled in.
 * Mistakes have the same words and places as those of `loadConfig`.
 */
export function readLauncherOptions({ name, schema, loaded }: LauncherOptionsRequest): {
  readonly options: SettingsTree;
  readonly problems: readonly ConfigProblem[];
} {
  const { kind: _, ...tree } = loaded.config.launchers[name] ?? {};
  const node = schema as SchemaNode;
  const path = ['launchers', name];
  const where = (at: SettingPath) => loaded.origins.get(renderPath(at)) ?? 'configuration';
  const surroundings = (at: SettingPath) => ({ directory: loaded.directories.get(renderPath(at)) ?? '/', env: {} });
  const read = readSettings({ node, tree, path, where, surroundings });
  const failed = new Set(read.problems.map((problem) => problem.path));
  const missing = completeSettings(node, { ...loaded, tree: read.tree, origins: new Map(loaded.origins) }, path);
  return {
    options: read.tree,
    problems: [...read.problems, ...missing.filter((problem) => !failed.has(problem.path))],
  };
}
