/** The calls of SFTP that a host needs, as promises. */

import type { FileEntryWithStats, OpenMode, SFTPWrapper, Stats } from 'ssh2';
import { asError } from '../../src/errors.ts';
import { answeredWithin, longMs, usualMs } from './answer-limits.ts';
import type { RemoteFiles } from './remote-files.ts';
import { CutOffError, unavailable } from './ssh-connection.ts';

/** Every server takes that much at once. */
const chunkBytes = 32 * 1024;

type Callback<T> = (error: Error | undefined | null, value: T) => void;

/** @param sftp - of which only this is used. A broken channel rejects every call, also those that come after. */
export function sftpFiles(host: string, sftp: SFTPWrapper): RemoteFiles {
  const cutOff = (): Error => new CutOffError(unavailable(host, 'the connection was closed'));
  // Of what is pending then, ssh2 tells only some.
  const closed = new Promise<never>((_resolve, reject) => void sftp.once('close', () => reject(cutOff())));
  closed.catch(() => undefined);
  const call = async <T>(start: (done: Callback<T>) => void, limitMs = usualMs): Promise<T> => {
    const answer = new Promise<T>((resolve, reject) => {
      start((error, value) => (error ? reject(typeof codeIn(error) === 'number' ? error : cutOff()) : resolve(value)));
    });
    return await answeredWithin(host, limitMs, Promise.race([answer, closed]));
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
              if (error && codeIn(error) === 1) done(undefined, 0);
              else done(error, count);
            }),
          );
          if (bytes === 0) break;
          got += bytes;
        }
        return buffer.subarray(0, got);
      }),
    look: async (path, { followLinks } = { followLinks: true }) => {
      const stats = await call<Stats | undefined>((done) =>
        sftp[followLinks ? 'stat' : 'lstat'](path, unlessAbsent(done)),
      );
      return stats && { isRegular: stats.isFile(), size: stats.size };
    },
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
      const stats = await call<Stats | undefined>((done) => sftp.lstat(path, unlessAbsent(done)));
      if (!stats) return undefined;
      return stats.isSymbolicLink() ? await call((done) => sftp.readlink(path, unlessAbsent(done))) : '';
    },
    realPath: async (path) => await call<string>((done) => sftp.realpath(path, done)),
  };
}

/** Of what is not there, nothing. */
function unlessAbsent<T>(done: Callback<T | undefined>): Callback<T> {
  return (error, value) => (error && codeIn(error) === 2 ? done(undefined, undefined) : done(error, value));
}

/** What the other side says has a number; what ssh2 says by itself has none. */
function codeIn(error: Error): unknown {
  return (error as { readonly code?: unknown }).code;
}

/** SFTP's own numbers (draft-ietf-secsh-filexfer-02 §7), as the system's words. A full disk is a plain failure there. */
const sftpCodes: Readonly<Record<number, string>> = { 2: 'ENOENT', 3: 'EACCES' };

export function withSystemCode(thrown: unknown): Error {
  const error = asError(thrown) as Error & { readonly code?: unknown };
  const code = typeof error.code === 'number' ? sftpCodes[error.code] : undefined;
  return code === undefined ? error : Object.assign(new Error(error.message, { cause: error }), { code });
}
