/**
 * Images of a cluster: one SIF per digest, in a directory that the service account owns and everybody reads. Built once,
 * whoever asks and however many; its own SHA-256 is written beside it and checked before it is first used, since a build
 * from one digest gives another file each time.
 */

import { randomBytes } from 'node:crypto';
import { LauncherError, UnavailableError } from '../../src/errors.ts';
import { inside, resultsLink } from '../../src/launcher/helper-arguments.ts';
import type { ImageRef, LauncherLog, PreparedImage, RegistryAccess } from '../../src/launcher/launcher.ts';
import { pause } from '../../src/lib/backoff.ts';
import { type CommandResult, lastWords } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { type ResolvedImage, resolveImage } from './registry.ts';

export interface SifStoreOptions {
  /** As the service account. */
  readonly host: Host;
  readonly directory: string;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
  readonly architecture: string;
  readonly log: LauncherLog;
}

export interface SifStore {
  prepare(image: ImageRef, signal: AbortSignal): Promise<PreparedImage>;
  pathOf(digest: string): string;
}

/** Written beside the SIF, by its builder, when it was whole. */
interface SifRecord {
  readonly name: string;
  readonly argv: readonly string[];
  readonly sha256: string;
}

/** A builder that has said nothing for so long is dead; it says something every fifth of that. */
const deadAfterMs = 60_000;
const buildMs = 3_600_000;

export function createSifStore(options: SifStoreOptions): SifStore {
  const { host, directory, log } = options;
  const preparing = new Map<string, Promise<PreparedImage>>();
  const checked = new Set<string>();
  const base = (digest: string): string => `${directory}/${digest.replace(':', '-')}`;
  const pathOf = (digest: string): string => `${base(digest)}.sif`;

  async function readRecord(digest: string): Promise<SifRecord | undefined> {
    const [part] = await host.readMany([{ path: `${base(digest)}.json`, offset: 0, length: 1_000_000 }]);
    return part && (JSON.parse(Buffer.from(part.bytes).toString()) as SifRecord);
  }

  /** The SIF as it was built, or nothing: a file that has changed is built again. */
  async function find(digest: string): Promise<SifRecord | undefined> {
    const record = await readRecord(digest);
    if (!record || checked.has(digest)) return record;
    const sha256 = await host.hash(pathOf(digest)).catch(() => '');
    if (sha256 !== record.sha256) {
      log.warn({ digest, path: pathOf(digest) }, 'image in the cache is not what was built; it is built again');
      return undefined;
    }
    checked.add(digest);
    return record;
  }

  async function prepareOnce(image: ImageRef, signal: AbortSignal): Promise<PreparedImage> {
    const pinned = image.digest === undefined ? undefined : await find(image.digest);
    if (pinned && image.digest !== undefined) return { name: image.name, digest: image.digest, argv: pinned.argv };
    const name = image.digest === undefined ? image.name : `${withoutTag(image.name)}@${image.digest}`;
    const resolved = await resolveImage(name, options.registries, { architecture: options.architecture, signal });
    const record = (await find(resolved.digest)) ?? (await buildLocked(image.name, resolved, signal));
    return { name: image.name, digest: resolved.digest, argv: record.argv };
  }

  async function buildLocked(name: string, resolved: ResolvedImage, signal: AbortSignal): Promise<SifRecord> {
    const lock = `${base(resolved.digest)}.lock`;
    const beat = `${base(resolved.digest)}.beat`;
    await host.makeDirectory(directory, 0o755);
    let seen = { beat: '', atMs: Date.now() };
    while (!(await host.link(lock, randomBytes(8).toString('hex')))) {
      signal.throwIfAborted();
      const [part] = await host.readMany([{ path: beat, offset: 0, length: 100 }]);
      const now = Buffer.from(part?.bytes ?? []).toString();
      // By our own clock alone: the builder's may be another.
      if (now !== seen.beat) seen = { beat: now, atMs: Date.now() };
      else if (Date.now() - seen.atMs > deadAfterMs) {
        log.warn({ image: name, lock }, 'builder of an image is gone; its lock is taken');
        await host.removeTree(lock);
      }
      await pause(500, signal);
      const built = await find(resolved.digest);
      if (built) return built;
    }
    const beating = setInterval(() => {
      host.put(beat, Buffer.from(randomBytes(8).toString('hex'))).catch(() => undefined);
    }, deadAfterMs / 5);
    try {
      return (await find(resolved.digest)) ?? (await build(name, resolved, signal));
    } finally {
      clearInterval(beating);
      await host.removeTree(beat).catch(() => undefined);
      await host.removeTree(lock).catch(() => undefined);
    }
  }

  async function build(name: string, resolved: ResolvedImage, signal: AbortSignal): Promise<SifRecord> {
    const work = `${base(resolved.digest)}.building`;
    await host.removeTree(work);
    await host.makeDirectory(work, 0o700);
    try {
      await host.put(`${work}/definition`, Buffer.from(renderDefinition(resolved)));
      const { access } = resolved;
      const plain = access?.insecure === true ? ['--no-https'] : [];
      const startedMs = Date.now();
      await host.run(
        {
          argv: ['apptainer', '--silent', 'build', ...plain, `${work}/image.sif`, `${work}/definition`],
          timeoutMs: buildMs,
          environment: {
            APPTAINER_TMPDIR: work,
            APPTAINER_CACHEDIR: `${work}/cache`,
            ...(access?.username
              ? { APPTAINER_DOCKER_USERNAME: access.username, APPTAINER_DOCKER_PASSWORD: access.password }
              : {}),
          },
          parse: (result) => parseBuild(name, result),
        },
        signal,
      );
      const sha256 = await host.hash(`${work}/image.sif`);
      const record: SifRecord = { name, argv: resolved.argv, sha256 };
      const parse = (result: CommandResult): void => parseBuild(name, result);
      await host.run({ argv: ['chmod', '0644', '--', `${work}/image.sif`], parse }, signal);
      await host.run({ argv: ['mv', '--', `${work}/image.sif`, pathOf(resolved.digest)], parse }, signal);
      await host.put(`${base(resolved.digest)}.json`, Buffer.from(JSON.stringify(record)), { mode: 0o644 });
      checked.add(resolved.digest);
      log.info({ image: name, digest: resolved.digest, tookMs: Date.now() - startedMs }, 'image built');
      return record;
    } finally {
      await host.removeTree(work).catch(() => undefined);
    }
  }

  return {
    pathOf,
    /** All that ask for one image at once wait for one answer. */
    async prepare(image, signal) {
      const key = `${image.name} ${image.digest ?? ''}`;
      const running = preparing.get(key);
      if (running) return await running;
      const starting = prepareOnce(image, signal).finally(() => preparing.delete(key));
      preparing.set(key, starting);
      return await starting;
    },
  };
}

/** The names are checked ones, so none of them can say anything else to the reader of definitions. */
function renderDefinition({ registry, repository, digest }: ResolvedImage): string {
  return [
    'Bootstrap: docker',
    `From: ${registry}/${repository}@${digest}`,
    '',
    '%setup',
    // The one link that no mount can be: what it leads to is made after the mounts.
    `    ln -s ${resultsLink.target} "$APPTAINER_ROOTFS${resultsLink.path}"`,
    `    mkdir -p ${[inside.bin, inside.run, inside.ledger].map((path) => `"$APPTAINER_ROOTFS${path}"`).join(' ')}`,
    `    touch "$APPTAINER_ROOTFS${inside.binaryMessage}"`,
    '',
  ].join('\n');
}

function withoutTag(name: string): string {
  return name.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
}

function parseBuild(name: string, { exitCode, signal, stdout, stderr }: CommandResult): void {
  if (exitCode === 0) return;
  const said = lastWords(stderr || stdout, 2_000);
  if (exitCode === null) {
    throw new UnavailableError(
      'launcher.unavailable',
      `The build of image "${name}" was ended by ${signal ?? 'a signal'}`,
    );
  }
  if (/no space left|disk quota exceeded/i.test(stderr)) {
    throw new UnavailableError('launcher.disk_full', `Image "${name}" was not built: the disk is full`);
  }
  throw new LauncherError('image.invalid', `Image "${name}" could not be built for this cluster: ${said}`);
}
