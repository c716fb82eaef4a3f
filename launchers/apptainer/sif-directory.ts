import type { LauncherLog } from '../../src/launcher/launcher.ts';
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
