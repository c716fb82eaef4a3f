/**
 * The form in which an image is started: the image itself and one layer over it that holds `/_abaco_results.sock`, the
 * link the contract wants at exactly that path.
 *
 * The link cannot be a mount (the socket is bound after the mounts are made) and cannot be made by the first process
 * (which is no root in general). Putting it into each created container by the engine's archive call took 54 ms of a
 * whole run's 335 ms, and 10-17 % of the rate with four at once; a commit once per image takes 180 ms, and the runs
 * from it are as fast as from the image itself.
 */

import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { resultsLink } from '../../src/launcher/helper-arguments.ts';
import type { LauncherLog } from '../../src/launcher/launcher.ts';
import type { Engine } from './engine.ts';
import { isRefusal } from './engine-error.ts';
import { labelFilter, labels } from './ownership.ts';

const repository = 'abaco-prepared';

/** Made of the installation and the digest alone, so that a launch needs no look-up. */
export function preparedImageName(installationId: string, digest: string): string {
  const hash = createHash('sha256').update(`${installationId}\n${digest}`).digest('hex');
  return `${repository}:${hash}`;
}

interface PreparedForm {
  readonly id: string;
  readonly digest: string;
  readonly installationId: string;
  readonly log: LauncherLog;
}

/** Makes the prepared form where it is missing. */
export async function ensurePreparedImage(
  engine: Engine,
  { id, digest, installationId, log }: PreparedForm,
): Promise<void> {
  const name = preparedImageName(installationId, digest);
  if (await hasImage(engine, name)) return;
  const created = (await engine.ask({
    method: 'POST',
    path: '/containers/create',
    // Never started: an entrypoint is only there because an image without one could not be created from.
    body: {
      Image: id,
      Entrypoint: ['/_abaco/bin/abaco-start'],
      Cmd: [],
      Labels: { [labels.preparedFor]: installationId },
    },
  })) as { readonly Id: string };
  try {
    await engine.ask({
      method: 'PUT',
      path: `/containers/${created.Id}/archive`,
      query: { path: '/' },
      archive: await linkArchive(),
    });
    const [repo, tag] = name.split(':') as [string, string];
    await engine.ask({ method: 'POST', path: '/commit', query: { container: created.Id, repo, tag, pause: false } });
  } finally {
    await removeContainer(engine, created.Id).catch((thrown: unknown) => {
      log.warn({ err: thrown, digest }, 'container of a prepared image not removed; a sweep does so');
    });
  }
}

/** What a process that died in the middle of preparing or probing left is taken for left after so long. */
const abandonedAfterMs = 600_000;

/** Removes prepared images that no container uses and `isWanted` denies, and what was left half made. */
export async function sweepPreparedImages(
  engine: Engine,
  installationId: string,
  isWanted: (name: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const filters = JSON.stringify(labelFilter({ [labels.preparedFor]: installationId }));
  const list = (path: string, all: boolean) => engine.ask({ method: 'GET', path, query: { filters, all } }, signal);
  // Containers of attempts inherit the label of their image; those are the launcher's to remove.
  for (const container of (await list('/containers/json', true)) as readonly Listed[]) {
    const isAttempt = container.Labels?.[labels.installation] !== undefined;
    if (!isAttempt && isAbandoned(container)) await removeContainer(engine, container.Id);
  }
  for (const image of (await list('/images/json', false)) as readonly Listed[]) {
    const name = image.RepoTags?.find((tag) => tag.startsWith(`${repository}:`));
    const isKept = name === undefined ? !isAbandoned(image) : await isWanted(name);
    if (!isKept) await removeImage(engine, name ?? image.Id, signal);
  }
}

interface Listed {
  readonly Id: string;
  /** Seconds. */
  readonly Created: number;
  readonly RepoTags?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

function isAbandoned({ Created }: Listed): boolean {
  return Date.now() - Created * 1000 > abandonedAfterMs;
}

async function removeContainer(engine: Engine, id: string): Promise<void> {
  try {
    await engine.ask({ method: 'DELETE', path: `/containers/${id}`, query: { force: true, v: true } });
  } catch (error) {
    if (!isRefusal(error, 404, 409)) throw error;
  }
}

export async function removeImage(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  try {
    await engine.ask({ method: 'DELETE', path: `/images/${name}` }, signal);
  } catch (error) {
    // Gone already, or a container uses it; the next sweep looks again.
    if (!isRefusal(error, 404, 409)) throw error;
  }
}

async function hasImage(engine: Engine, name: string): Promise<boolean> {
  try {
    await engine.ask({ method: 'GET', path: `/images/${name}/json` });
    return true;
  } catch (error) {
    if (isRefusal(error, 404)) return false;
    throw error;
  }
}

function linkArchive(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: resultsLink.path.slice(1), type: 'symlink', linkname: resultsLink.target });
  archive.finalize();
  return buffer(archive);
}
