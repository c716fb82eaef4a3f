/** Files by programs that every Linux has (GNU coreutils and findutils), where there is no SFTP: a channel per call. */

import { once } from 'node:events';
import { asError } from '../../src/errors.ts';
import { shellLine } from '../../src/lib/shell.ts';
import { answeredWithin, longMs, usualMs } from './answer-limits.ts';
import { lastWords } from './command.ts';
import type { FileContent } from './host.ts';
import type { RemoteFiles } from './remote-files.ts';
import { CutOffError, type SshChannel, type SshConnection, unavailable } from './ssh-connection.ts';

/**
 * A link of its own is 0, something else there 4. That nothing is there has to be said by a program that says why: to the
 * shell all is nothing that it cannot look at.
 */
const readTarget =
  'if [ -L "$1" ]; then readlink -nv -- "$1"; elif [ -e "$1" ]; then exit 4; else stat -c %f -- "$1" >/dev/null && exit 5; fi';

/** Of a file's mode, see inode(7). */
const kindBits = 0o170_000;
const regular = 0o100_000;

export function shellFiles(connection: Pick<SshConnection, 'name' | 'withChannel'>): RemoteFiles {
  /** Answers with its exit code and standard output; what it says on the other stream is an error. */
  async function ask(argv: readonly string[], content?: FileContent): Promise<{ code: number; output: Buffer }> {
    // Its words are looked at, so they have to be English.
    const line = shellLine(['env', 'LC_ALL=C', ...argv]);
    return await connection.withChannel(line, async (channel) => await talk(connection.name, channel, content));
  }

  async function run(argv: readonly string[], content?: FileContent): Promise<Buffer> {
    const { code, output } = await ask(argv, content);
    if (code !== 0) throw new Error(`${argv[0]} ended with ${code}`);
    return output;
  }

  const script = (text: string, ...args: readonly string[]): readonly string[] => ['sh', '-c', text, 'sh', ...args];

  return {
    async write(path, content, mode) {
      const text = 'umask 077 && cat >"$1" && chmod "$2" "$1" && sync "$1"';
      await run(script(text, path, mode.toString(8)), content);
    },
    async read(path, offset, length) {
      if (length === 0) return Buffer.alloc(0);
      // A pipe that was put there meanwhile ends at once.
      const flags = 'iflag=skip_bytes,count_bytes,fullblock,nonblock';
      return await run(['dd', `if=${path}`, flags, 'bs=256K', `skip=${offset}`, `count=${length}`, 'status=none']);
    },
    async look(path, { followLinks } = { followLinks: true }) {
      const output = await run(['stat', ...(followLinks ? ['-L'] : []), '-c', '%f %s', '--', path]).catch(absent);
      const [mode = '', size] = output?.toString().trim().split(' ') ?? [];
      return output && { isRegular: (Number.parseInt(mode, 16) & kindBits) === regular, size: Number(size) };
    },
    rename: async (from, to) => void (await run(['mv', '-fT', '--', from, to])),
    unlink: async (path) => void (await run(['rm', '-f', '--', path])),
    makeDirectory: async (path, mode) => void (await run(['mkdir', '-m', mode.toString(8), '--', path])),
    async entries(path) {
      const one = String.raw`%f\0%s\0%T@\0`;
      const fields = (await run(['find', '-H', path, '-mindepth', '1', '-maxdepth', '1', '-printf', one]))
        .toString()
        .split('\0');
      return Array.from({ length: Math.floor(fields.length / 3) }, (_, index) => {
        const [name = '', size = '', changed = ''] = fields.slice(index * 3, index * 3 + 3);
        return { name, size: Number(size), changed };
      });
    },
    realPath: async (path) => (await run(['realpath', '-ez', '--', path])).toString().replace(/\0$/, ''),
    link: async (path, target) => void (await run(['ln', '-sT', '--', target, path])),
    async target(path) {
      const answer = await ask(script(readTarget, path)).catch(absent);
      if (!answer) return undefined;
      if (answer.code === 4) return '';
      if (answer.code !== 0) throw new Error(`readlink ended with ${answer.code}`);
      return answer.output.toString();
    },
  };
}

/** Sends all of `content`, then takes the answer. Where `content` breaks off, the program is still waited for. */
async function talk(
  host: string,
  channel: SshChannel,
  content?: FileContent,
): Promise<{ code: number; output: Buffer }> {
  const output: Buffer[] = [];
  let said = '';
  channel.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  channel.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  channel.stdin.on('error', () => undefined);
  let broken: Error | undefined;
  try {
    if (content) await send(host, channel, content);
  } catch (thrown) {
    broken = asError(thrown);
  }
  channel.stdin.end();
  const end = await answeredWithin(host, content ? longMs : usualMs, channel.ended);
  if (broken) throw broken;
  if (!end) throw new CutOffError(unavailable(host, 'the connection was closed'));
  if (end.exitCode !== 0 && said.trim() !== '') throw withCode(lastWords(said));
  return { code: end.exitCode ?? 128, output: Buffer.concat(output) };
}

async function send(host: string, channel: SshChannel, content: FileContent): Promise<void> {
  for await (const piece of content instanceof Uint8Array ? [content] : content) {
    if (channel.stdin.destroyed || channel.stdin.write(piece)) continue;
    await answeredWithin(
      host,
      usualMs,
      Promise.race([once(channel.stdin, 'drain').catch(() => undefined), channel.ended]),
    );
  }
}

/** As programs of GNU say it, and the shell dash. */
const words: readonly (readonly [RegExp, string])[] = [
  [/No such file or directory|Directory nonexistent/, 'ENOENT'],
  [/Not a directory/, 'ENOTDIR'],
  [/Permission denied|Operation not permitted/, 'EACCES'],
  [/Read-only file system/, 'EROFS'],
  [/No space left on device/, 'ENOSPC'],
  [/Disk quota exceeded/, 'EDQUOT'],
];

function withCode(said: string): Error {
  const code = words.find(([pattern]) => pattern.test(said))?.[1];
  return Object.assign(new Error(said), code === undefined ? {} : { code });
}

function absent(thrown: unknown): undefined {
  const { code } = thrown as { readonly code?: string };
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw thrown;
}
