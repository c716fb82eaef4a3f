/** One `abaco up` per data directory: a socket in it that only a living process answers. */

import { rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { ConflictError } from '../errors.ts';

export interface DataDirLock {
  release(): Promise<void>;
}

/** Refuses with `service.locked` while another process holds the directory; a dead one's lock is taken over. */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const path = join(dataDir, 'lock');
  for (;;) {
    const server = await listen(path);
    if (server) return { release: () => close(server) };
    if (await answers(path)) {
      throw new ConflictError(
        'service.locked',
        `Data directory "${dataDir}" is held by another process: stop that one, or give this one its own with --data-dir`,
      );
    }
    await rm(path, { force: true });
  }
}

async function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.end());
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  server.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') resolve(undefined);
    else reject(error);
  });
  server.listen(path, () => resolve(server));
  const listening = await promise;
  listening?.unref();
  return listening;
}

async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path, () => resolve(true));
  socket.once('error', () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  await promise;
}
