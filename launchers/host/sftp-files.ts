/** The calls of SFTP that a host needs, as promises. */

import type { FileEntryWithStats, OpenMode, SFTPWrapper } from 'ssh2';
import { asError } from '../../src/errors.ts';
import { answeredWithin, longMs, usualMs } from './answer-limits.ts';
import type { RemoteFiles, RemoteLook } from './remote-files.ts';

/** Every server takes that much at once. */
const chunkBytes = 32 * 1024;

type Callback<T> = (error: Error | undefined | null, value: T) => void;

/** @param sftp - of which only this is used. A broken channel rejects every call. */
export function sftpFiles(sftp: SFTPWrapper): RemoteFiles {
  const call = async <T>(start: (done: Callback<T>) => void, limitMs = usualMs): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    sftp.once('close', () => reject(new Error('the connection was closed')));
    start((error, value) => (error ? reject(error) : resolve(value)));
    return await answeredWithin(limitMs, promise);
  };
  const withHandle = async <T>(
    path: string,
    flags: OpenMode,
    mode: number,
    use: (handle: Buffer) => Promise<T>,
  ): Promise<T> => {
    const handle = await call<Buffer>((done) => sftp.open(path, flags, mode, done));
    try {
      return await use(handle);
    } finally {
      await call((done) => sftp.close(handle, done as () => void)).catch(() => undefined);
    }
  };
  sftp.setMaxListeners(0);
  return {
    write: async (path, content, mode) =>
      await withHandle(path, 'wx', mode, async (handle) => {
        let at = 0;
        for await (const piece of content instanceof Uint8Array ? [content] : content) {
          const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
          // As many at once as a window takes: one by one, each would cost the way there and back.
          const writes: Promise<unknown>[] = [];
          for (let from = 0; from < bytes.byteLength; from += chunkBytes) {
            const length = Math.min(chunkBytes, bytes.byteLength - from);
            const position = at + from;
            writes.push(call((done) => sftp.write(handle, bytes, from, length, position, done as () => void)));
          }
          await Promise.all(writes);
          at += bytes.byteLength;
        }
        await call((done) => sftp.fchmod(handle, mode, done as () => void));
        await call((done) => sftp.ext_openssh_fsync(handle, done as () => void), longMs);
      }),
    read: async (path, offset, length) =>
      await withHandle(path, 'r', 0, async (handle) => {
        const buffer = Buffer.alloc(length);
        let got = 0;
        while (got < length) {
          const most = Math.min(chunkBytes, length - got);
          const bytes = await call<number>((done) =>
            sftp.read(handle, buffer, got, most, offset + got, (error, count) => {
              // Its end is told as an error of number 1.
              if ((error as { readonly code?: number } | undefined)?.code === 1) done(undefined, 0);
              else done(error, count);
            }),
          );
          if (bytes === 0) break;
          got += bytes;
        }
        return buffer.subarray(0, got);
      }),
    look: async (path, { followLinks } = { followLinks: true }) =>
      await call<RemoteLook | undefined>((done) =>
        sftp[followLinks ? 'stat' : 'lstat'](path, (error, stats) => {
          if ((error as { readonly code?: number } | undefined)?.code === 2) done(undefined, undefined);
          else done(error, error ? undefined : { isRegular: stats.isFile(), size: stats.size });
        }),
      ),
    rename: async (from, to) => void (await call((done) => sftp.ext_openssh_rename(from, to, done as () => void))),
    unlink: async (path) => void (await call((done) => sftp.unlink(path, done as () => void))),
    makeDirectory: async (path, mode) => {
      await call((done) => sftp.mkdir(path, { mode }, done as () => void));
      await call((done) => sftp.chmod(path, mode, done as () => void));
    },
    entries: async (path) => {
      const entries = await call<FileEntryWithStats[]>((done) => sftp.readdir(path, done));
      return entries.map(({ filename, attrs }) => ({ name: filename, size: attrs.size, changed: String(attrs.mtime) }));
    },
    // OpenSSH takes the target first, against the draft; ssh2 knows, and takes the target first too.
    link: async (path, target) => void (await call((done) => sftp.symlink(target, path, done as () => void))),
    target: async (path) => {
      const there = await call<boolean>((done) =>
        sftp.lstat(path, (error) =>
          done((error as { readonly code?: number } | undefined)?.code === 2 ? undefined : error, !error),
        ),
      );
      return there ? await call<string>((done) => sftp.readlink(path, done)).catch(() => '') : undefined;
    },
    realPath: async (path) => await call<string>((done) => sftp.realpath(path, done)),
  };
}

/** SFTP's own numbers (draft-ietf-secsh-filexfer-02 §7), as the system's words. A full disk is a plain failure there. */
const sftpCodes: Readonly<Record<number, string>> = { 2: 'ENOENT', 3: 'EACCES' };

export function withSystemCode(thrown: unknown): Error {
  const error = asError(thrown) as Error & { readonly code?: unknown };
  const code = typeof error.code === 'number' ? sftpCodes[error.code] : undefined;
  return code === undefined ? error : Object.assign(new Error(error.message, { cause: error }), { code });
}
