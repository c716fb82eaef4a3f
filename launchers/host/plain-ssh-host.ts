/** A host behind SSH with nothing of ours on it: a channel per command. Installs the agent, and stands in for it. */

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { LauncherError } from '../../src/errors.ts';
import { codeOf } from '../../src/lib/durable-file.ts';
import { shellLine } from '../../src/lib/shell.ts';
import { longMs } from './answer-limits.ts';
import { type Command, type CommandResult, commandDefaults, expectSuccess } from './command.ts';
import { changeCutOff, fileError, noRegularFile } from './file-errors.ts';
import type { Host } from './host.ts';
import type { RemoteFiles } from './remote-files.ts';
import { cutOff } from './run-program.ts';
import { checkBelowRoots } from './scratch-roots.ts';
import { CutOffError, type SshChannel, type SshConnection } from './ssh-connection.ts';

/** Read and handed on at a time. */
const chunkBytes = 1024 * 1024;
const lookAgainMs = 500;

/** @param connection - closed with the host. The login shell has to be one that reads POSIX quotes. */
export function createPlainSshHost(connection: SshConnection, scratchRoots: readonly string[]): Host {
  const { name } = connection;

  async function withFiles<T>(path: string, use: (files: RemoteFiles) => Promise<T>): Promise<T> {
    return await connection.withFiles(use).catch((thrown: unknown) => {
      throw fileError(name, path, codeOf(thrown), thrown);
    });
  }

  /** Of a change that was cut off it is not known whether it was made. */
  async function change<T>(path: string, use: (files: RemoteFiles) => Promise<T>): Promise<T> {
    return await withFiles(path, use).catch((thrown: unknown) => {
      throw thrown instanceof CutOffError ? changeCutOff(name, path, thrown) : thrown;
    });
  }

  const host: Host = {
    name,

    async run(command, signal) {
      const line = shellLine([...environmentWords(command.environment), ...command.argv]);
      const result = await connection
        .withChannel(line, async (channel) => await runOn(name, channel, command, signal))
        .catch((thrown: unknown) => {
          throw thrown instanceof CutOffError ? cutOff(name, command.argv[0], thrown.message, thrown) : thrown;
        });
      return command.parse(result);
    },

    async put(path, content, { mode = 0o600 } = {}) {
      const temporary = `${path}.${randomBytes(6).toString('hex')}`;
      await change(path, async (files) => {
        try {
          await files.write(temporary, content, mode);
          await files.rename(temporary, path);
        } catch (thrown) {
          await files.unlink(temporary).catch(() => undefined);
          throw thrown;
        }
      });
    },

    async *get(path, { offset, length = Number.POSITIVE_INFINITY, followLinks = false } = { offset: 0 }) {
      for (let at = offset; at < offset + length; ) {
        const wanted = Math.min(chunkBytes, offset + length - at);
        const bytes = await withFiles(path, async (files) => {
          if ((await files.look(path, { followLinks }))?.isRegular !== true) throw noRegularFile(name, path);
          return await files.read(path, at, wanted);
        });
        if (bytes.byteLength > 0) yield bytes;
        if (bytes.byteLength < wanted) return;
        at += bytes.byteLength;
      }
    },

    async readMany(reads) {
      return await withFiles('', async (files) => {
        return await Promise.all(
          reads.map(async ({ path, offset, length }) => {
            const seen = await files.look(path, { followLinks: false });
            if (seen?.isRegular !== true) return undefined;
            const { size } = seen;
            const bytes = await files.read(path, offset, Math.max(0, Math.min(length, size - offset)));
            return { bytes, size: bytes.byteLength === 0 ? size : Math.max(size, offset + bytes.byteLength) };
          }),
        );
      });
    },

    async link(path, target) {
      return await change(path, async (files) => {
        try {
          await files.link(path, target);
          return true;
        } catch (thrown) {
          // There is no word for "is there already" that all would say. What is there after a cut may be ours.
          if (!(thrown instanceof CutOffError) && (await files.target(path)) !== undefined) return false;
          throw thrown;
        }
      });
    },

    async readLinks(paths) {
      return await withFiles(
        '',
        async (files) => await Promise.all(paths.map(async (path) => await files.target(path))),
      );
    },

    async hash(path) {
      await withFiles(path, async (files) => {
        if ((await files.look(path))?.isRegular !== true) throw noRegularFile(name, path);
        await files.read(path, 0, 1);
      });
      const argv = ['sha256sum', '--', path] as const;
      const parse = expectSuccess(`Hashing "${path}" on ${name}`);
      // A name with a backslash or a line end is marked by a backslash in front of the hash.
      return (await host.run({ argv, parse, timeoutMs: longMs }, new AbortController().signal))
        .replace(/^\\/, '')
        .slice(0, 64);
    },

    async makeDirectory(path, mode) {
      await change(path, async (files) => {
        const parts = path.split('/').filter((part) => part !== '');
        for (let count = 1; count <= parts.length; count += 1) {
          const step = `/${parts.slice(0, count).join('/')}`;
          if ((await files.look(step)) !== undefined) continue;
          await files.makeDirectory(step, mode).catch(async (thrown: unknown) => {
            // As with links: somebody else may have made it meanwhile.
            if ((await files.look(step)) === undefined) throw thrown;
          });
        }
      });
    },

    async list(path) {
      return await withFiles(path, async (files) => {
        if ((await files.look(path)) === undefined) return undefined;
        const entries = await files.entries(path);
        return entries.map((entry) => entry.name).toSorted();
      });
    },

    async removeTree(path) {
      checkBelowRoots(path, scratchRoots);
      const parent = path.slice(0, path.lastIndexOf('/'));
      const real = await withFiles(path, async (files) => {
        if ((await files.look(parent)) === undefined) return undefined;
        const roots = await Promise.all(scratchRoots.map(async (root) => await files.realPath(root).catch(() => root)));
        return { parent: await files.realPath(parent), roots };
      });
      if (!real) return;
      checkBelowRoots(`${real.parent}${path.slice(path.lastIndexOf('/'))}`, real.roots);
      const parse = expectSuccess(`Removing "${path}" on ${name}`);
      const argv = ['rm', '-rf', '--', path] as const;
      await host.run({ argv, parse, timeoutMs: longMs }, new AbortController().signal);
    },

    async waitForChange(path, timeoutMs, signal) {
      const look = async (): Promise<string> =>
        await withFiles(path, async (files) => {
          const entries = await files.entries(path);
          return JSON.stringify(entries);
        });
      const before = await look();
      const end = Date.now() + timeoutMs;
      while (Date.now() < end && !signal.aborted) {
        await pause(Math.min(lookAgainMs, end - Date.now()), undefined, { signal }).catch(() => undefined);
        if (signal.aborted || (await look()) !== before) return;
      }
    },

    async close() {
      connection.close();
    },
  };
  return host;
}

/** `env` and not assignments before the command, which are the shell's: names of ours may hold any character. */
function environmentWords(environment: Readonly<Record<string, string>> = {}): readonly string[] {
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return words.length === 0 ? [] : ['env', '--', ...words];
}

async function runOn(
  host: string,
  channel: SshChannel,
  command: Omit<Command<unknown>, 'parse'>,
  signal: AbortSignal,
): Promise<CommandResult> {
  const { timeoutMs = commandDefaults.timeoutMs, maxOutputBytes = commandDefaults.maxOutputBytes } = command;
  const [file] = command.argv;
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const stop = (why: string, cause?: unknown): void => reject(cutOff(host, file, why, cause));
  const take = (stream: NodeJS.ReadableStream): Buffer[] => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= maxOutputBytes) return void chunks.push(chunk);
      const message = `Program "${file}" on ${host} wrote more than ${maxOutputBytes} bytes`;
      reject(new LauncherError('host.output_too_large', message));
    });
    return chunks;
  };
  const stdout = take(channel.stdout);
  const stderr = take(channel.stderr);
  void channel.ended.then((end) => {
    if (!end) return stop('its channel was closed');
    resolve({ ...end, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
  });
  channel.stdin.on('error', () => undefined);
  const limit = setTimeout(() => stop(`it took longer than ${timeoutMs} ms`), timeoutMs);
  const onAbort = (): void => stop('it was not wanted any more', signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    channel.stdin.end(command.stdin);
    return await promise;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', onAbort);
    channel.kill();
  }
}
