/**
 * Who has come by an image, and when it was last asked for: a file for each tenant and place, beside the SIF. That the
 * image lies in the cache says nothing about who may use it: only whoever's credentials have resolved it at its registry.
 */

import { createHash } from 'node:crypto';
import { asError, mayPass } from '../../src/errors.ts';
import { parseImageSource, placeOf } from '../../src/launcher/image-source.ts';
import type { ImageRef, LauncherLog } from '../../src/launcher/launcher.ts';
import type { Host } from '../host/host.ts';

export interface ImageUse {
  readonly tenant: string;
  /** Registry and repository, or path. */
  readonly place: string;
  readonly installation: string;
  readonly usedAt: string;
  /** When the credentials of the tenant last resolved it. */
  readonly resolvedAt: string;
}

export interface ImageUses {
  /** One for each tenant, and place that an image comes from: 32 hexadecimal digits. */
  nameOf(image: ImageRef): string;
  /** When this tenant has last resolved it under this name; nothing where it never has. */
  resolvedAt(digest: string, image: ImageRef): Promise<Date | undefined>;
  /**
   * Trouble that may pass is told to the log alone: no image is refused for it. What was noted last is still there, and the
   * next use is noted.
   *
   * @param resolved - just now, and not from the cache.
   */
  note(digest: string, image: ImageRef, resolved: boolean): Promise<void>;
  list(digest: string): Promise<readonly ImageUse[]>;
}

/** A use is written down this often at most: each start asks. */
const everyMs = 3_600_000;

export interface ImageUsesOptions {
  readonly host: Host;
  /** What the names of the files of an image begin with. */
  readonly baseOf: (digest: string) => string;
  readonly installation: string;
  readonly log: LauncherLog;
}

export function createImageUses({ host, baseOf, installation, log }: ImageUsesOptions): ImageUses {
  const known = new Map<string, ImageUse>();

  const nameOf = (image: ImageRef): string => {
    const who = [installation, image.tenant ?? '', placeOf(parseImageSource(image.name))].join('\n');
    return createHash('sha256').update(who).digest('hex').slice(0, 32);
  };
  const pathOf = (digest: string, image: ImageRef): string => `${baseOf(digest)}.uses/${nameOf(image)}`;

  async function read(paths: readonly string[]): Promise<readonly (ImageUse | undefined)[]> {
    const parts = await host.readMany(paths.map((path) => ({ path, offset: 0, length: 100_000 })));
    return parts.map((part) => parseUse(Buffer.from(part?.bytes ?? []).toString()));
  }

  async function useOf(digest: string, image: ImageRef): Promise<ImageUse | undefined> {
    const path = pathOf(digest, image);
    const found = known.get(path) ?? (await read([path]))[0];
    if (found) known.set(path, found);
    return found;
  }

  async function write(digest: string, image: ImageRef, resolved: boolean): Promise<void> {
    const before = await useOf(digest, image);
    if (!resolved && before && Date.now() - Date.parse(before.usedAt) < everyMs) return;
    const now = new Date().toISOString();
    const use: ImageUse = {
      tenant: image.tenant ?? '',
      place: placeOf(parseImageSource(image.name)),
      installation,
      usedAt: now,
      resolvedAt: resolved ? now : (before?.resolvedAt ?? now),
    };
    await host.makeDirectory(`${baseOf(digest)}.uses`, 0o755);
    await host.put(pathOf(digest, image), Buffer.from(JSON.stringify(use)), { mode: 0o644 });
    known.set(pathOf(digest, image), use);
  }

  return {
    nameOf,
    async resolvedAt(digest, image) {
      const use = await useOf(digest, image);
      return use && new Date(use.resolvedAt);
    },
    async note(digest, image, resolved) {
      try {
        await write(digest, image, resolved);
      } catch (thrown) {
        if (!mayPass(asError(thrown))) throw thrown;
        log.warn({ err: thrown, digest }, 'use of an image not noted; the next one is');
      }
    },
    async list(digest) {
      const directory = `${baseOf(digest)}.uses`;
      const names = ((await host.list(directory)) ?? []).filter((name) => /^[0-9a-f]{32}$/.test(name));
      return (await read(names.map((name) => `${directory}/${name}`))).filter((use) => use !== undefined);
    },
  };
}

/** @returns nothing for a text that is none. */
export function parseUse(text: string): ImageUse | undefined {
  try {
    const use = JSON.parse(text) as Partial<Record<keyof ImageUse, unknown>>;
    const isWhole = [use.tenant, use.place, use.installation].every((value) => typeof value === 'string');
    const hasTimes = [use.usedAt, use.resolvedAt].every(
      (at) => typeof at === 'string' && Number.isFinite(Date.parse(at)),
    );
    return isWhole && hasTimes ? (use as ImageUse) : undefined;
  } catch {
    return undefined;
  }
}
