/**
 * Reads the configuration once, at start: `config/default.toml`, then the site file, then the environment; each wins over
 * the one before, setting by setting. The result is frozen and handed down in parts; nobody else reads the environment.
 */

import { resolve } from 'node:path';
import { ConfigError, type ConfigProblem } from '../errors.ts';
import { packagePath } from '../lib/package-root.ts';
import { toConfig } from './camel-case.ts';
import { completeSettings } from './complete-settings.ts';
import { checkTogether } from './cross-checks.ts';
import { deriveSettings } from './derive-settings.ts';
import { type Environment, readEnvironmentLayer } from './environment-layer.ts';
import { type Layer, type LayerReading, readFileLayer } from './layer.ts';
import { type MergedSettings, mergeLayers } from './merge-layers.ts';
import { readSettings } from './read-settings.ts';
import { type Config, configNode } from './schema.ts';
import type { SettingsTree } from './settings-tree.ts';
import { readValueFiles } from './value-files.ts';

export interface LoadOptions {
  /** The site file; else the one `ABACO_CONFIG` names; else none. */
  readonly file?: string;
  /** Lays `config/dev.toml` below the site file. */
  readonly dev?: boolean;
  readonly env?: Environment;
  /** Relative paths on the command line and in the environment start here. */
  readonly cwd?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Where each setting came from, by its dotted path in TOML: `site.toml:3`, `environment ABACO_REDIS_URL`. */
  readonly origins: ReadonlyMap<string, string>;
  /** Where the relative paths of each setting start, by its dotted path. */
  readonly directories: ReadonlyMap<string, string>;
  /** The same settings as TOML spells them; to be shown through `renderConfig` only, which masks secrets. */
  readonly settings: SettingsTree;
}

/** @throws ConfigError with every mistake in every source. */
export function loadConfig(options: LoadOptions = {}): LoadedConfig {
  const { env = process.env, cwd = process.cwd() } = options;
  const files = fileLayers(options, env, cwd);
  const variables = readEnvironmentLayer({ node: configNode, env, directory: cwd });
  const layers = [...files.flatMap(({ layer }) => layer ?? []), variables.layer];
  const readings = layers.map((layer) => ({ layer, ...readLayer(layer, env) }));
  const problems = [...files, ...readings, variables].flatMap((reading) => reading.problems);

  const merged = mergeLayers(readings.map(({ tree, layer: { where, directory } }) => ({ tree, where, directory })));
  problems.push(...withoutFailed(completeSettings(configNode, merged), problems));
  problems.push(...readValueFiles(configNode, merged));
  deriveSettings(merged, env);
  const config = toConfig(configNode, merged.tree) as Config;
  const wasReadWhole = files.every(({ layer }) => layer !== undefined);
  if (wasReadWhole) problems.push(...checkTogether(config, merged.origins, pathsOf(problems)));
  if (problems.length > 0) throw new ConfigError(inReadingOrder(problems));
  return frozen(config, merged);
}

function fileLayers({ file, dev = false }: LoadOptions, env: Environment, cwd: string): readonly LayerReading[] {
  const site = file ?? (env['ABACO_CONFIG'] || undefined);
  return [
    shippedLayer('config/default.toml'),
    ...(dev ? [shippedLayer('config/dev.toml')] : []),
    ...(site === undefined ? [] : [readFileLayer({ file: resolve(cwd, site), name: site })]),
  ];
}

/** A mistake in these is ours, and without the defaults nothing can be judged. */
function shippedLayer(name: string): LayerReading {
  const reading = readFileLayer({ file: packagePath(name), name });
  if (reading.layer === undefined) throw new ConfigError(reading.problems);
  return reading;
}

function readLayer(layer: Layer, env: Environment) {
  const surroundings = () => ({ directory: layer.directory, env });
  return readSettings({
    node: configNode,
    tree: layer.tree,
    path: [],
    where: layer.where,
    surroundings,
  });
}

/** A setting that was given and refused is not missing too. */
function withoutFailed(
  missing: readonly ConfigProblem[],
  problems: readonly ConfigProblem[],
): readonly ConfigProblem[] {
  const failed = pathsOf(problems);
  return missing.filter(({ path }) => !failed.has(path));
}

function pathsOf(problems: readonly ConfigProblem[]): ReadonlySet<string> {
  return new Set(problems.map(({ path }) => path));
}

/** Source by source as they were read, in each by line. */
function inReadingOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const placed = problems.map((problem) => {
    const [, source = problem.where, line = '0'] = /^(.*?):(\d+)\b/.exec(problem.where) ?? [];
    return { problem, source, line: Number(line) };
  });
  const sources = [...new Set(placed.map(({ source }) => source))];
  return placed
    .toSorted((a, b) => sources.indexOf(a.source) - sources.indexOf(b.source) || a.line - b.line)
    .map(({ problem }) => problem);
}

function frozen(config: Config, { tree, origins, directories }: MergedSettings): LoadedConfig {
  return Object.freeze({ config: deepFreeze(config), origins, directories, settings: deepFreeze(tree) });
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
