/**
 * Images of a cluster: one SIF per digest, in a directory that one account owns and its readers cannot write to. Built
 * once, whoever asks and however many; its own SHA-256 is written beside it and checked before it is used, since a build
 * from one digest gives another file each time. What it runs is read from that file, which was built of what the digest
 * names: neither a record nor a registry is asked, since all tenants share what is here.
 *
 *     <directory>/sha256-<digest>.sif    the image
 *                                .json   what it was built of, its SHA-256; written when it was whole
 *                                .uses/  who has come by it, and when
 *                                .lock   while it is put there, or taken away
 *                                .<use>.lock, .beat, .building-…   while it is being built
 *                                .<use>.log, .failed   what the last build said, and how it failed
 *
 * Those who wait for one build, and are told what it says, are of one use: of one tenant, and from one place. Another
 * registry may serve the same manifest and then nothing, and what it says is for nobody else. The first that comes to its
 * end serves all.
 */

import { QuotaError, UnavailableError, UnknownOutcomeError } from '../../src/errors.ts';
import type { ImageRef, LauncherLog, PreparedImage } from '../../src/launcher/launcher.ts';
import type { Host } from '../host/host.ts';
import { failureOfBuild, noteFailure } from './build-failure.ts';
import type { BuildTurns } from './build-turns.ts';
import { createImageUses, type ImageUses } from './image-uses.ts';
import { type ResolvedSource, resolveSource, type SourceParts } from './resolve-source.ts';
import { createSharedWork } from './shared-work.ts';
import { buildFiles, buildSif, type RunScript } from './sif-build.ts';
import { createSifChecks } from './sif-check.ts';
import { fileNameOf, moveFile, openSifDirectory } from './sif-directory.ts';
import { type Beat, type HeldLock, takeLock } from './sif-lock.ts';
import { parseRecord, type SifRecord } from './sif-record.ts';
import { removeImage, removeLeftovers } from './sif-removal.ts';
import { createUseRights } from './use-rights.ts';

export interface SifStoreOptions extends SourceParts {
  readonly host: Host;
  readonly directory: string;
  /** Of the directory, also of one that is there. */
  readonly mode: number;
  readonly installationId: string;
  readonly program: string;
  readonly run: RunScript;
  /** Of the machine, also of its other stores. */
  readonly turns: BuildTurns;
  readonly log: LauncherLog;
  /** A builder that has said nothing for so long is dead; a minute where nothing is said. */
  readonly deadAfterMs?: number;
}

export interface SifStore {
  readonly uses: ImageUses;
  /** @param onProgress - told in a sentence what a wait is for. */
  prepare(image: ImageRef, signal: AbortSignal, onProgress?: (text: string) => void): Promise<PreparedImage>;
  baseOf(digest: string): string;
  pathOf(digest: string): string;
  /** What was built and is there. */
  records(): Promise<readonly SifRecord[]>;
  /** Takes an image away; nothing where somebody builds it. */
  remove(digest: string): Promise<boolean>;
}

/** One that is there and whole. */
interface FoundSif extends SifRecord {
  /** Entrypoint and command, as the file has them. */
  readonly argv: readonly string[];
}

/** One build, under its lock. */
interface BuildInHand {
  /** What the names of its files begin with. */
  readonly base: string;
  readonly lock: HeldLock;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

export function createSifStore(options: SifStoreOptions): SifStore {
  const { host, directory, log, deadAfterMs = 60_000 } = options;
  const preparing = createSharedWork<PreparedImage>();
  const building = createSharedWork<FoundSif>();
  const checks = createSifChecks(host);
  let isOpen = false;
  const baseOf = (digest: string): string => `${directory}/${fileNameOf(digest)}`;
  const pathOf = (digest: string): string => `${baseOf(digest)}.sif`;
  const uses = createImageUses({ host, baseOf, installation: options.installationId, log });
  const rights = createUseRights({
    uses,
    resolve: async (image, signal) => await resolveSource(options, image, signal),
    log,
  });

  /** The SIF as it was built, or nothing: a file that has changed is built again. */
  async function find(digest: string): Promise<FoundSif | undefined> {
    const [part] = await host.readMany([{ path: `${baseOf(digest)}.json`, offset: 0, length: 1_000_000 }]);
    const record = part && parseRecord(Buffer.from(part.bytes).toString());
    if (!record) return undefined;
    const path = pathOf(digest);
    if (await checks.isWhole(path, record.sha256))
      return { ...record, argv: await checks.commandOf(record.name, path, record.sha256) };
    log.warn({ digest, path }, 'image in the cache is not what was built; it is built again');
    return undefined;
  }

  async function open(): Promise<void> {
    await openSifDirectory(host, directory, options.mode, log);
    isOpen = true;
  }

  async function prepareOnce(
    image: ImageRef,
    signal: AbortSignal,
    tell: (text: string) => void,
  ): Promise<PreparedImage> {
    if (!isOpen) await open();
    const pinned = image.digest === undefined ? undefined : await find(image.digest);
    const prepared = ({ argv }: FoundSif, digest: string): PreparedImage => ({ name: image.name, digest, argv });
    if (pinned && image.digest !== undefined && (await rights.mayUse(image.digest, image, signal))) {
      await uses.note(image.digest, image, false);
      return prepared(pinned, image.digest);
    }
    const resolved = await resolveSource(options, image, signal);
    const record = (await find(resolved.digest)) ?? (await buildInTurn(image, resolved, signal, tell));
    await uses.note(resolved.digest, image, true);
    return prepared(record, resolved.digest);
  }

  /** In its turn, which is of this process; no lock is held meanwhile, so that others may build it. */
  async function buildInTurn(
    image: ImageRef,
    resolved: ResolvedSource,
    signal: AbortSignal,
    tell: (text: string) => void,
  ): Promise<FoundSif> {
    const base = `${baseOf(resolved.digest)}.${uses.nameOf(image)}`;
    return await building(base, signal, tell, async (tellAll) => {
      const begin = async () => await buildOnce(image, resolved, { base, signal, tell: tellAll });
      const onWait = (): void => tellAll(`Image "${image.name}" waits: other images are being built for this cluster`);
      return await options.turns.take(image.tenant, signal, begin, onWait);
    });
  }

  async function buildOnce(
    image: ImageRef,
    resolved: ResolvedSource,
    {
      base,
      signal,
      tell,
    }: { readonly base: string; readonly signal: AbortSignal; readonly tell: (text: string) => void },
  ): Promise<FoundSif> {
    // A file system that is purged takes empty directories away.
    await open();
    const say = ({ since, line }: Beat): void =>
      tell(`Image "${image.name}" is being built for this cluster since ${since}${line === '' ? '' : `: ${line}`}`);
    const taken = await takeLock(
      { host, base, log, signal, deadAfterMs },
      async (token) => await outcomeOf(resolved.digest, base, token),
      say,
    );
    if ('value' in taken) return taken.value;
    await using lock = taken;
    const found = await find(resolved.digest);
    if (found) return found;
    const since = new Date().toISOString();
    const onLine = (line: string): void => {
      lock.say({ since, line });
      say({ since, line });
    };
    onLine('');
    try {
      return await build(image.name, resolved, { base, lock, onLine, signal });
    } catch (thrown) {
      // Whoever took us for dead has removed what we built with: that it failed is no word about the image.
      if (!signal.aborted && !(await lock.isHeld().catch(() => false))) throw builtByAnother(image.name, thrown);
      await noteFailure(host, base, lock.token, thrown);
      throw thrown;
    }
  }

  /** What became of a build that we waited for: the image, or the reason of its failure; nothing while it goes on. */
  async function outcomeOf(digest: string, base: string, token: string): Promise<FoundSif | undefined> {
    const built = await find(digest);
    if (built) return built;
    const failure = await failureOfBuild(host, base, token);
    if (failure) throw failure;
    return undefined;
  }

  async function build(name: string, resolved: ResolvedSource, parts: BuildInHand): Promise<FoundSif> {
    const { base, lock, onLine, signal } = parts;
    const { digest } = resolved;
    await removeLeftovers(host, directory, base.slice(directory.length + 1)).catch((thrown: unknown) => {
      log.warn({ err: thrown, directory }, 'what dead builders left is still there; the next build tries again');
    });
    const work = `${base}.building-${lock.token}`;
    const startedMs = Date.now();
    try {
      await host.makeDirectory(work, 0o700);
      await resolved.fetch?.(work, signal);
      const { program, run } = options;
      await buildSif({ host, program, run, name, work, recipe: resolved.recipe(work), onLine, signal });
      await resolved.check?.();
      const sif = `${work}/${buildFiles.sif}`;
      const sha256 = await host.hash(sif);
      const argv = await checks.commandOf(name, sif, sha256);
      const put = await publish(sif, { digest, name, sha256, argv }, parts);
      if (put.sha256 === sha256) log.info({ image: name, digest, tookMs: Date.now() - startedMs }, 'image built');
      return put;
    } catch (thrown) {
      if (!(thrown instanceof UnknownOutcomeError || thrown instanceof QuotaError)) throw thrown;
      const message = `The build of image "${name}" did not come to its end; it is tried again: ${thrown.message}`;
      throw new UnavailableError('launcher.unavailable', message, { cause: thrown });
    } finally {
      await moveFile(host, `${work}/${buildFiles.log}`, `${base}.log`, 0o600).catch(() => undefined);
      await host.removeTree(work).catch(() => undefined);
    }
  }

  /** Puts there what was built, or gives what another has put there meanwhile: one at a time, so file and record agree. */
  async function publish(
    sif: string,
    built: Pick<FoundSif, 'digest' | 'name' | 'sha256' | 'argv'>,
    { lock, signal }: BuildInHand,
  ): Promise<FoundSif> {
    const { argv, ...file } = built;
    const { digest, name } = file;
    const taken = await takeLock(
      { host, base: baseOf(digest), log, signal, deadAfterMs },
      async () => await find(digest),
      () => undefined,
    );
    if ('value' in taken) return taken.value;
    await using _ = taken;
    const found = await find(digest);
    if (found) return found;
    // Whoever took us for dead builds another, which is as good; and writes its record.
    if (!(await lock.isHeld())) throw builtByAnother(name);
    const [part] = await host.readMany([{ path: sif, offset: 0, length: 0 }]);
    await moveFile(host, sif, pathOf(digest), 0o644);
    const record: SifRecord = { ...file, bytes: part?.size ?? 0, builtAt: new Date().toISOString() };
    await host.put(`${baseOf(digest)}.json`, Buffer.from(JSON.stringify(record)), { mode: 0o644 });
    await checks.note(pathOf(digest), file.sha256);
    return { ...record, argv };
  }

  return {
    uses,
    baseOf,
    pathOf,
    /** All that ask for one image at once wait for one answer. */
    async prepare(image, signal, onProgress) {
      const key = JSON.stringify([image.name, image.digest, image.tenant, image.owner]);
      return await preparing(key, signal, onProgress, async (tell) => await prepareOnce(image, signal, tell));
    },
    async records() {
      const names = ((await host.list(directory)) ?? []).filter((name) => /^sha256-[0-9a-f]{64}\.json$/.test(name));
      const parts = await host.readMany(
        names.map((name) => ({ path: `${directory}/${name}`, offset: 0, length: 1_000_000 })),
      );
      return parts.flatMap((part, index) => {
        const digest = (names[index] ?? '').replace('.json', '').replace('-', ':');
        const record = part && parseRecord(Buffer.from(part.bytes).toString());
        return record ? [{ ...record, digest }] : [];
      });
    },
    remove: async (digest) => await removeImage(host, directory, digest),
  };
}

function builtByAnother(name: string, cause?: unknown): UnavailableError {
  return new UnavailableError('launcher.unavailable', `Image "${name}" is built by another`, { cause });
}
