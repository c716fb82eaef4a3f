/** Looks at everything a launch stands on, each thing by itself, so that the answer names what to mend. */

import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { asError } from '../../src/errors.ts';
import type { LauncherHealth } from '../../src/launcher/launcher.ts';
import type { Engine } from './engine.ts';
import { isRefusal } from './engine-error.ts';
import { labels } from './ownership.ts';
import { removeImage } from './prepared-image.ts';

export interface ProbeParts {
  readonly engine: Engine;
  readonly installationId: string;
  readonly dataDir: string;
  readonly nativeDir: string;
}

type Check = LauncherHealth['checks'][number];

interface EngineInfo {
  readonly ServerVersion?: string;
  readonly OperatingSystem?: string;
  readonly MemoryLimit?: boolean;
  readonly PidsLimit?: boolean;
  readonly CpuCfsQuota?: boolean;
}

/** Without these the limits of an actor would be silently ignored. */
const limitNames = { MemoryLimit: 'memory', PidsLimit: 'pids', CpuCfsQuota: 'cpu' } as const;

export async function probeEngine(parts: ProbeParts, signal: AbortSignal): Promise<LauncherHealth> {
  const info = await readInfo(parts.engine, signal);
  const helper = await checkHelper(parts.nativeDir);
  if (info instanceof Error) return summarize([{ name: 'engine', ok: false, detail: info.message }, helper]);
  const detail = `Engine ${info.ServerVersion ?? 'of unknown version'} on ${info.OperatingSystem ?? 'this host'} answers`;
  return summarize([{ name: 'engine', ok: true, detail }, helper, await checkPaths(parts, signal), checkLimits(info)]);
}

function summarize(checks: readonly Check[]): LauncherHealth {
  const failed = checks.find((check) => !check.ok);
  return { ok: failed === undefined, detail: (failed ?? checks[0])?.detail ?? 'Nothing was looked at', checks };
}

async function readInfo(engine: Engine, signal: AbortSignal): Promise<EngineInfo | Error> {
  try {
    return (await engine.ask({ method: 'GET', path: '/info' }, signal)) as EngineInfo;
  } catch (error) {
    return asError(error);
  }
}

async function checkHelper(nativeDir: string): Promise<Check> {
  const path = join(nativeDir, 'abaco-start');
  const problem = await access(path, constants.X_OK).then(() => undefined, asError);
  if (problem === undefined) return { name: 'helper', ok: true, detail: `"${path}" is there` };
  return {
    name: 'helper',
    ok: false,
    detail: `Helper "${path}" cannot be run: ${problem.message}; build it with make -C native`,
  };
}

function checkLimits(info: EngineInfo): Check {
  const missing = Object.entries(limitNames).filter(([key]) => info[key as keyof typeof limitNames] === false);
  if (missing.length === 0)
    return { name: 'limits', ok: true, detail: 'Memory, processors and processes can be limited' };
  const names = missing.map(([, name]) => name).join(', ');
  return { name: 'limits', ok: false, detail: `Engine cannot limit ${names}: the host's cgroups lack it` };
}

/**
 * Whether the engine finds our directories at the same path. It need not when we run in a container: the mounts of a
 * launch would then be refused, or be another directory of the same name; so a new one with a random name is asked for.
 */
async function checkPaths(parts: ProbeParts, signal: AbortSignal): Promise<Check> {
  const directory = join(parts.dataDir, 'probe', randomUUID());
  const image = `abaco-probe:${randomUUID()}`;
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await importEmptyImage(parts, image, signal);
    await createAndRemove(parts, { image, directory }, signal);
    return { name: 'paths', ok: true, detail: `Engine sees "${parts.dataDir}" at the same path` };
  } catch (error) {
    return { name: 'paths', ok: false, detail: pathProblem(parts, asError(error)) };
  } finally {
    await rm(directory, { recursive: true, force: true });
    await removeImage(parts.engine, image, signal).catch(() => {});
  }
}

async function importEmptyImage(
  { engine, installationId }: ProbeParts,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const archive = pack();
  archive.finalize();
  const [repo, tag] = name.split(':') as [string, string];
  const changes = `LABEL ${labels.preparedFor}=${installationId}`;
  const query = { fromSrc: '-', repo, tag, changes };
  await engine.ask({ method: 'POST', path: '/images/create', query, archive: await buffer(archive) }, signal);
}

async function createAndRemove(
  { engine, installationId, nativeDir }: ProbeParts,
  { image, directory }: { readonly image: string; readonly directory: string },
  signal: AbortSignal,
): Promise<void> {
  const mounts = [directory, nativeDir].map((path, index) => ({
    Type: 'bind',
    Source: path,
    Target: `/${index}`,
    ReadOnly: true,
  }));
  const body = {
    Image: image,
    Cmd: ['never-started'],
    Labels: { [labels.preparedFor]: installationId },
    HostConfig: { Mounts: mounts },
  };
  const created = (await engine.ask({ method: 'POST', path: '/containers/create', body }, signal)) as {
    readonly Id: string;
  };
  await engine.ask({ method: 'DELETE', path: `/containers/${created.Id}`, query: { force: true, v: true } }, signal);
}

function pathProblem({ dataDir, nativeDir }: ProbeParts, error: Error): string {
  const isMissing = isRefusal(error, 400, 404, 500) && /does not exist|no such file/i.test(error.message);
  if (!isMissing) return `Engine could not be asked for mounts: ${error.message}`;
  const help = 'mount both at the same path for the service and for the engine';
  return `Engine does not see "${dataDir}" or "${nativeDir}" where we do: ${error.message}; ${help}`;
}
