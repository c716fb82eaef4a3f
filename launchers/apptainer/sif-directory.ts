import { LauncherError } from '../../src/errors.ts';
import type { LauncherLog } from '../../src/launcher/launcher.ts';
import { expectSuccess } from '../host/command.ts';
import type { Host } from '../host/host.ts';

/** Makes the directory of an image cache; one that is there, whoever made it, gets the mode. */
export async function openSifDirectory(host: Host, directory: string, mode: number, log: LauncherLog): Promise<void> {
  await host.makeDirectory(directory, mode);
  const argv = ['chmod', mode.toString(8), '--', directory] as const;
  const isOurs = await host.run(
    { argv: [...argv], parse: ({ exitCode }) => exitCode === 0 },
    new AbortController().signal,
  );
  if (!isOurs) log.warn({ directory }, 'image cache is not ours to close; others may see which images there are');
}

export async function moveFile(host: Host, from: string, to: string, mode: number): Promise<void> {
  const never = new AbortController().signal;
  const parse = expectSuccess('The move of a file of the image cache');
  await host.run({ argv: ['chmod', mode.toString(8), '--', from], parse }, never);
  await host.run({ argv: ['mv', '--', from, to], parse }, never);
}

/** What the names of an image's files begin with. Digests come from elsewhere: only those that lead nowhere else are taken. */
export function fileNameOf(digest: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(digest)) return digest.replace(':', '-');
  const shown = JSON.stringify(digest.slice(0, 120));
  throw new LauncherError('image.invalid', `Image with the digest ${shown} is not kept here: it is none of SHA-256`);
}
