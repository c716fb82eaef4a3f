/** Runs a program on this machine, with a limit on its time and on what it writes. */

import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { LauncherError, UnknownOutcomeError } from '../../src/errors.ts';
import { codeOf } from '../../src/lib/durable-file.ts';
import { type Command, type CommandResult, commandDefaults } from './command.ts';
import { spawnPiped } from './spawn-piped.ts';

type Program = Omit<Command<unknown>, 'parse'>;

/** The program is the leader of a group of its own, so that what it started is killed with it. */
export async function runProgram(host: string, program: Program, signal: AbortSignal): Promise<CommandResult> {
  const [file, ...args] = program.argv;
  const { timeoutMs = commandDefaults.timeoutMs, maxOutputBytes = commandDefaults.maxOutputBytes } = program;
  if (signal.aborted) throw cutOff(host, file, 'it was not wanted any more', signal.reason);
  const child = spawnPiped(file, args, { env: { ...process.env, ...program.environment }, detached: true });
  const { promise: stopped, resolve: stop } = Promise.withResolvers<Error>();
  const limit = setTimeout(() => stop(cutOff(host, file, `it took longer than ${timeoutMs} ms`)), timeoutMs);
  const onAbort = (): void => stop(cutOff(host, file, 'it was not wanted any more', signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  const takeOutput = async (stream: Readable): Promise<string> => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > maxOutputBytes) {
        const message = `Program "${file}" on ${host} wrote more than ${maxOutputBytes} bytes`;
        stop(new LauncherError('host.output_too_large', message));
        break;
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  };
  try {
    const result = endOf(child, file, takeOutput);
    result.catch(() => undefined);
    // It may end before it has read all that it was sent.
    child.stdin.on('error', () => undefined);
    child.stdin.end(program.stdin);
    const first = await Promise.race([result, stopped]);
    if (!(first instanceof Error)) return first;
    killGroup(child);
    throw first;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', onAbort);
  }
}

async function endOf(
  child: ChildProcess,
  file: string,
  takeOutput: (stream: Readable) => Promise<string>,
): Promise<CommandResult> {
  const { promise: ended, resolve, reject } = Promise.withResolvers<Pick<CommandResult, 'exitCode' | 'signal'>>();
  child.once('error', reject);
  child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  try {
    const [stdout, stderr, end] = await Promise.all([
      takeOutput(child.stdout as Readable),
      takeOutput(child.stderr as Readable),
      ended,
    ]);
    return { ...end, stdout, stderr };
  } catch (thrown) {
    // As every shell tells it.
    const code = codeOf(thrown);
    if (code === 'ENOENT') return { exitCode: 127, signal: null, stdout: '', stderr: `${file}: not found` };
    if (code === 'EACCES') return { exitCode: 126, signal: null, stdout: '', stderr: `${file}: permission denied` };
    throw thrown;
  }
}

/** With what it started, unless that made a group of its own. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}

export function cutOff(host: string, file: string, why: string, cause?: unknown): UnknownOutcomeError {
  const message = `Program "${file}" on ${host} was cut off: ${why}; what it has done is not known`;
  return new UnknownOutcomeError('host.unknown_outcome', message, { cause });
}
