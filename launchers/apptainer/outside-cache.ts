/** That an image named by its path is not one of the cache, where nobody's credentials are asked for. */

import { LauncherError } from '../../src/errors.ts';
import type { Command } from '../host/command.ts';
import type { Host } from '../host/host.ts';

/** @param host - as whoever names it. @throws LauncherError `image.invalid`, also for a link that leads there. */
export async function checkOutsideCache(host: Host, path: string, cache: string, signal: AbortSignal): Promise<void> {
  const [realPath = path, realCache = cache] = await host.run(realPathsCommand([path, cache]), signal);
  const isInside = [path, realPath].some((one) => one.startsWith(`${cache}/`) || one.startsWith(`${realCache}/`));
  if (!isInside) return;
  const help = 'name it as in its registry, so that it is resolved with your credentials';
  throw new LauncherError(
    'image.invalid',
    `Image "${path}" cannot be used: it lies in the image cache of the service; ${help}`,
  );
}

/** Where paths lead to, as far as they are there (realpath(1)); nothing where the host cannot say. */
function realPathsCommand(paths: readonly string[]): Command<readonly string[]> {
  return {
    argv: ['realpath', '-m', '--', ...paths],
    parse: ({ exitCode, stdout }) => (exitCode === 0 ? stdout.split('\n').slice(0, paths.length) : []),
  };
}
