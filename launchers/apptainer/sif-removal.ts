/**
 * What goes from an image cache while others may be building there: an image, and what builders that died have left. One
 * that lives writes what it says every few seconds, so what is old by the clock of the file system is nobody's.
 */

import { findOldCommand } from '../host/find-old.ts';
import type { Host } from '../host/host.ts';
import { fileNameOf } from './sif-directory.ts';

/** More than clocks are wrong by, and than a builder is silent. */
const leftAfterMs = 3_600_000;

/** Of one build, by what its name begins with; or of what is put there or taken away, by the digest alone. */
const buildFile = /^(sha256-[0-9a-f]{64}(?:\.[0-9a-f]{32})?)\.(?:lock|beat|building-)/;

/**
 * Which files of builds may go: all of a build of which every file is old; and of our own, whose lock we hold, what its
 * builders before us have left. A word of ours that is just being written may go as well: it is said again. Pure.
 *
 * @param own - what the names of our own begin with.
 */
export function leftoversOf(
  names: readonly string[],
  old: ReadonlySet<string>,
  own: string | undefined,
): readonly string[] {
  const builds = Map.groupBy(
    names.filter((name) => buildFile.test(name)),
    (name) => buildFile.exec(name)?.[1],
  );
  return [...builds].flatMap(([build, files]) => {
    if (build === own) return files.filter((name) => /\.(?:building-|beat\.)/.test(name));
    return files.every((name) => old.has(name)) ? files : [];
  });
}

export async function removeLeftovers(host: Host, directory: string, own?: string): Promise<void> {
  const names = (await host.list(directory)) ?? [];
  const old = await host.run(findOldCommand(directory, leftAfterMs), new AbortController().signal);
  for (const name of leftoversOf(names, new Set(old), own)) await host.removeTree(`${directory}/${name}`);
}

/** Takes away an image and all that is kept of it; nothing where somebody builds it, whoever it is. */
export async function removeImage(host: Host, directory: string, digest: string): Promise<boolean> {
  await removeLeftovers(host, directory);
  const image = fileNameOf(digest);
  const lock = `${directory}/${image}.lock`;
  // Nobody puts one there while this is held.
  if (!(await host.link(lock, 'removal'))) return false;
  try {
    const names = ((await host.list(directory)) ?? []).filter((name) => name.startsWith(`${image}.`));
    if (names.some((name) => name.endsWith('.lock') && name !== `${image}.lock`)) return false;
    // The record first: what has none is not there.
    for (const name of [`${image}.json`, ...names]) {
      if (name !== `${image}.lock`) await host.removeTree(`${directory}/${name}`);
    }
    return true;
  } finally {
    await host.removeTree(lock);
  }
}
