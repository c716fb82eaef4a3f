/** The configured launchers, made and asked how they are. */

import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLauncherOptions } from './config/launcher-options.ts';
import type { LoadedConfig } from './config/load.ts';
import { ConfigError } from './errors.ts';
import { guardImages } from './launcher/guarded-launcher.ts';
import type { Launcher, LauncherContext, LauncherHealth, LauncherKind } from './launcher/launcher.ts';
import { createLauncherTable, type LauncherEntry, type LauncherTable } from './launcher/launcher-table.ts';
import type { Closers } from './lib/closers.ts';
import { writeDurably } from './lib/durable-file.ts';
import { packagePath } from './lib/package-root.ts';
import type { Logger } from './observability/logger.ts';
import { makeDataDirectory } from './storage/data-directory.ts';

export interface LaunchersOptions {
  readonly loaded: LoadedConfig;
  readonly kinds: readonly LauncherKind<Readonly<Record<string, unknown>>>[];
  readonly log: Logger;
}

/** A launcher that is not well is reported and kept: its messages wait, the rest goes on. */
export async function composeLaunchers(
  options: LaunchersOptions,
  context: Pick<LauncherContext, 'installationId' | 'checkpoint'>,
  closers: Closers,
): Promise<LauncherTable> {
  const { loaded, log } = options;
  const { config } = loaded;
  const entries: LauncherEntry[] = [];
  for (const name of Object.keys(config.launchers)) {
    const made = await createLauncher(options, name, { ...context, log: log.child({ launcher: name }) });
    const launcher = guardImages(made, config.tenants);
    closers.add(`launcher ${name}`, () => launcher.close());
    const place = launcher.capabilities.everywhere ? name : `${name}@${config.workers.hostId}`;
    entries.push({ name, place, launcher });
  }
  await Promise.all(entries.map((entry) => reportProbe(entry, log)));
  return createLauncherTable(entries);
}

async function createLauncher(
  { loaded, kinds }: Pick<LaunchersOptions, 'loaded' | 'kinds'>,
  name: string,
  context: Pick<LauncherContext, 'installationId' | 'log' | 'checkpoint'>,
): Promise<Launcher> {
  const { kind, options } = readKind({ loaded, kinds }, name);
  const dataDir = launcherDirectory(loaded, name);
  await makeDataDirectory(loaded.config.service.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const nativeDir = await placeHelper(dataDir);
  const { registries, tenants } = loaded.config;
  const tenantRegistries = Object.fromEntries(Object.entries(tenants).map(([tenant, own]) => [tenant, own.registries]));
  return await kind.create(name, options, { ...context, dataDir, nativeDir, registries, tenantRegistries });
}

/** What a launcher keeps on this machine. */
export function launcherDirectory({ config }: LoadedConfig, name: string): string {
  return join(config.service.dataDir, 'launchers', name);
}

/** @throws ConfigError */
export function readKind({ loaded, kinds }: Pick<LaunchersOptions, 'loaded' | 'kinds'>, name: string) {
  const kindName = loaded.config.launchers[name]?.kind;
  const kind = kinds.find((known) => known.kind === kindName);
  if (!kind) {
    const known = kinds.map((other) => other.kind).join(', ');
    const message = `Launcher "${name}" is of kind "${kindName}"; known kinds: ${known}`;
    const where = loaded.origins.get(`launchers.${name}.kind`) ?? 'configuration';
    throw new ConfigError([{ path: `launchers.${name}.kind`, where, message }]);
  }
  const { options, problems } = readLauncherOptions({ name, schema: kind.options, loaded });
  if (problems.length > 0) throw new ConfigError(problems);
  return { kind, options };
}

/**
 * Puts the helper into the data directory: where the service runs in a container, an engine finds that one directory by
 * the name we have for it. Under a new file each time it differs, since programs may be running from the old one.
 */
async function placeHelper(dataDir: string): Promise<string> {
  const nativeDir = join(dataDir, 'native');
  await mkdir(nativeDir, { recursive: true, mode: 0o755 });
  for (const file of ['abaco-start', 'result']) {
    const helper = await readFile(packagePath('native', 'build', file)).catch(() => undefined);
    // A launcher that needs it says that it is missing.
    if (!helper) continue;
    const there = await readFile(join(nativeDir, file)).catch(() => undefined);
    if (there?.equals(helper) === true) continue;
    const temporary = join(nativeDir, `${file}.${randomBytes(6).toString('hex')}`);
    await writeDurably(join(nativeDir, file), helper, temporary, 0o755);
  }
  return nativeDir;
}

/** What each configured launcher says of itself, without a service around it. */
export async function probeAll({ loaded, kinds, log }: LaunchersOptions): Promise<readonly ProbedLauncher[]> {
  return await Promise.all(
    Object.keys(loaded.config.launchers).map(async (name) => {
      const kind = loaded.config.launchers[name]?.kind ?? '';
      const probe = async (launcher: Launcher) => await launcher.probe(AbortSignal.timeout(15_000));
      return { name, kind, health: await withLauncherOf({ loaded, kinds, log, name }, probe) };
    }),
  );
}

/** All of them, made and not asked anything. */
export async function openAll(
  { loaded, kinds, log }: LaunchersOptions,
  installationId: string,
): Promise<readonly Launcher[]> {
  const names = Object.keys(loaded.config.launchers);
  const context = { installationId, log, checkpoint: async () => undefined };
  return await Promise.all(names.map(async (name) => await createLauncher({ loaded, kinds }, name, context)));
}

/** One launcher for a moment, for people who look; it has no installation, and starts nothing. */
export async function withLauncherOf<T>(
  { loaded, kinds, log, name }: LaunchersOptions & { readonly name: string },
  look: (launcher: Launcher) => Promise<T>,
): Promise<T> {
  const context = { installationId: 'probe', log, checkpoint: async () => undefined };
  const launcher = await createLauncher({ loaded, kinds }, name, context);
  try {
    return await look(launcher);
  } finally {
    await launcher.close();
  }
}

export interface ProbedLauncher {
  readonly name: string;
  readonly kind: string;
  readonly health: LauncherHealth;
}

async function reportProbe({ place, launcher }: LauncherEntry, log: Logger): Promise<void> {
  const health = await launcher.probe(AbortSignal.timeout(15_000));
  if (health.ok) log.info({ launcher: place, detail: health.detail }, 'launcher ready');
  else log.warn({ launcher: place, detail: health.detail }, 'launcher not ready; its messages wait');
}
