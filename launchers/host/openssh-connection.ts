/** SSH by the system's OpenSSH: an `ssh` per channel, all of them through one login that a person made. */

import { randomBytes } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import pLimit from 'p-limit';
import { UnavailableError } from '../../src/errors.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import { shellLine } from '../../src/lib/shell.ts';
import { lastWords } from './command.ts';
import { type OpensshLogin, spawnThrough } from './openssh-login.ts';
import { shellFiles } from './shell-files.ts';
import {
  type ChannelEnd,
  CutOffError,
  type SshChannel,
  type SshConnection,
  type SshConnector,
  type SshLimits,
  unavailable,
} from './ssh-connection.ts';

const openTries = 6;
const openPause = { firstMs: 50, mostMs: 1_000 };

/**
 * As `ssh` ends that finds no login to go through: it goes its own way, by the command that does nothing. Not so where the
 * login had been asked for a channel. One that is lost later is lost without a word.
 */
const nothingBegun = /^(?!.*from master failed).*exchange_identification/s;

/** One for all hosts that share the login, since its server counts the channels of all of them together. */
export function createOpensshConnector(
  login: OpensshLogin,
  limits: Pick<SshLimits, 'channels' | 'openMs'>,
): SshConnector {
  const { name, host, user } = login;
  const turn = pLimit(limits.channels - 1);
  let held = 0;

  /** Channels that stay leave the last one to those that come and go. */
  async function hold<T>(use: () => Promise<T>): Promise<T> {
    if (held >= limits.channels - 1) {
      const next = `"channels" of the launcher, and MaxSessions of the login node's sshd, allow for more`;
      const message = `Host ${name} has no channel left: ${held} users are served by one login`;
      throw new UnavailableError('host.unavailable', message, { next });
    }
    held += 1;
    turn.concurrency = limits.channels - held;
    try {
      return await use();
    } finally {
      held -= 1;
      turn.concurrency = limits.channels - Math.max(1, held);
    }
  }

  return {
    name,
    host,
    user,
    transport: 'openssh',
    async connect(signal) {
      if ((await login.check(signal)) === undefined) throw login.needed();
      return createConnection(login, limits.openMs, async (use, isHeld) => await (isHeld ? hold(use) : turn(use)));
    },
  };
}

type TakeTurn = <T>(use: () => Promise<T>, isHeld: boolean) => Promise<T>;

function createConnection(login: OpensshLogin, openMs: number, takeTurn: TakeTurn): SshConnection {
  const { name } = login;
  const closing = new AbortController();
  const open = new Set<SshChannel>();
  let alive = true;

  /** What ends before it began, and whose login stands, has done nothing: it may begin again. */
  async function openChannel(line: string): Promise<SshChannel> {
    for (let count = 0; ; count += 1) {
      if (!alive) throw unavailable(name, 'the connection was closed');
      const begun = await begin(login, line, openMs, closing.signal);
      if (!('refusal' in begun)) return begun;
      if (begun.isCut) throw new CutOffError(unavailable(name, begun.refusal));
      if ((await login.check(new AbortController().signal)) === undefined) {
        alive = false;
        throw nothingBegun.test(begun.refusal) ? login.needed() : new CutOffError(login.needed());
      }
      if (count === openTries) throw unavailable(name, `it opens no channel: ${begun.refusal}`);
      await pause(pauseMs(count, openPause));
    }
  }

  const connection: SshConnection = {
    name,
    async withChannel(line, use, { isHeld = false } = {}) {
      return await takeTurn(async () => {
        const channel = await openChannel(line);
        open.add(channel);
        try {
          return await use(channel);
        } finally {
          open.delete(channel);
          channel.close();
        }
      }, isHeld);
    },
    withFiles: async (use) => await use(shellFiles(connection)),
    get alive() {
      return alive;
    },
    /** The login stays: it is the operator's, and others use it. */
    close() {
      alive = false;
      closing.abort();
      for (const channel of open) channel.close();
    },
  };
  return connection;
}

interface NotBegun {
  readonly refusal: string;
  /** Whether nobody waited for its answer any more, so that it may have begun all the same. */
  readonly isCut: boolean;
}

/**
 * `ssh` ends with 255 for its own troubles, for a program killed by a signal, and for one that ended so. Two words on
 * the error stream, which no program can know, tell them apart: one before the program, and one with its exit code after.
 */
async function begin(
  login: OpensshLogin,
  line: string,
  openMs: number,
  closing: AbortSignal,
): Promise<SshChannel | NotBegun> {
  const word = randomBytes(12).toString('hex');
  const framed = `echo ${word} >&2\n${line}\nprintf '\\n%s %d\\n' ${word} $? >&2`;
  const child = spawnThrough(login, shellLine(['sh', '-c', framed]));
  child.stdin.on('error', () => undefined);
  const stderr = new PassThrough();
  const begun = Promise.withResolvers<SshChannel | NotBegun>();
  const ended = Promise.withResolvers<ChannelEnd | undefined>();
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', (error) => {
      begun.resolve({ refusal: `the program "ssh" does not run: ${error.message}`, isCut: false });
      resolve();
    });
  });
  const read = readFramed(child.stderr, word, {
    onBegin: () =>
      begun.resolve({
        stdin: child.stdin,
        stdout: child.stdout,
        stderr,
        ended: ended.promise,
        close: () => void child.kill('SIGTERM'),
        kill: () => void child.kill('SIGKILL'),
      }),
    onText: (text) => void stderr.write(text),
  });
  // Nobody reads the other stream of what has not begun.
  child.stderr.once('end', () => {
    if (!read().begunWith) child.stdout.resume();
  });
  void closed.then(() => {
    const { begunWith, exitCode, rest } = read();
    stderr.end(rest);
    if (!begunWith) begun.resolve({ refusal: lastWords(rest.toString()), isCut: false });
    const end = exitCode === undefined ? undefined : { exitCode, signal: null };
    // Only once its listeners have been given the rest.
    if (stderr.readableFlowing === true) stderr.once('end', () => ended.resolve(end));
    else ended.resolve(end);
  });
  const cut = (refusal: string): void => {
    begun.resolve({ refusal, isCut: true });
    child.kill('SIGKILL');
  };
  const late = setTimeout(() => cut(`it did not open a channel within ${openMs} ms`), openMs);
  const onClose = (): void => cut('we closed it');
  closing.addEventListener('abort', onClose, { once: true });
  if (closing.aborted) onClose();
  return await begun.promise.finally(() => {
    clearTimeout(late);
    closing.removeEventListener('abort', onClose);
  });
}

interface FramedListeners {
  readonly onBegin: () => void;
  readonly onText: (text: Buffer) => void;
}

interface FramedEnd {
  readonly begunWith: boolean;
  /** Nothing where the program was cut off. */
  readonly exitCode: number | undefined;
  readonly rest: Buffer;
}

/** Longest that the word at the end can be. */
const tailBytes = 64;

function readFramed(stream: Readable, word: string, listeners: FramedListeners): () => FramedEnd {
  let held: Buffer = Buffer.alloc(0);
  let begunWith = false;
  stream.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    if (!begunWith) {
      const mark = `${word}\n`;
      const at = held.indexOf(mark);
      if (at < 0) return;
      // What a login shell says before is nobody's.
      held = held.subarray(at + mark.length);
      begunWith = true;
      listeners.onBegin();
    }
    if (held.byteLength <= tailBytes) return;
    listeners.onText(held.subarray(0, held.byteLength - tailBytes));
    held = held.subarray(held.byteLength - tailBytes);
  });
  return () => {
    const text = held.toString('latin1');
    const found = new RegExp(`\\n${word} (\\d+)\\n`).exec(text);
    const rest = found ? held.subarray(0, found.index) : held;
    return { begunWith, exitCode: begunWith && found ? Number(found[1]) : undefined, rest };
  };
}
