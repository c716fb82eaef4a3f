/** `abaco up` as a user starts it, on a data directory and a port of its own. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { optional } from '../../src/lib/optional.ts';
import { type Child, startChild } from './child.ts';
import { packageRoot } from './package-root.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

export interface AbacoUp extends AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
  readonly child: Child;
  /** Runs another verb of the program, with this service as its address. */
  abaco(args: readonly string[], options?: CliOptions): Promise<CliRun>;
}

export interface CliOptions {
  /** A file that is standard output, in place of the pipe. */
  readonly outputTo?: string;
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Told the process, to send it signals. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
  /** Told each piece of its output as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface CliRun {
  readonly exitCode: number;
  readonly output: string;
  readonly errors: string;
  /** The output before it was read as text. */
  readonly bytes: Buffer;
}

export const abacoProgram = join(packageRoot, 'scripts', 'abaco');

/**
 * @param settings as the environment spells them.
 * @param kept - data directory of an earlier one that is gone.
 */
export async function startAbacoUp(settings: Readonly<Record<string, string>> = {}, kept?: string): Promise<AbacoUp> {
  const directory = await makeTestDirectory('up');
  const dataDir = kept ?? join(directory.path, 'data');
  const args = ['up', '--data-dir', dataDir, '--port', '0'];
  const env = { ABACO_LOGGING_LEVEL: 'warn', ...settings };
  const child = await startChild(abacoProgram, args, { cwd: directory.path, env });
  const url = await until(
    () => {
      if (child.exited()) throw new Error(`The service ended:\n${child.output()}`);
      return /^abaco listens on (\S+)$/m.exec(child.output())?.[1];
    },
    { timeoutMs: 30_000, what: 'abaco up to listen' },
  );
  return {
    url,
    dataDir,
    child,
    abaco: (verbs, options = {}) => runAbaco(verbs, { ...options, env: { ABACO_URL: url, ...options.env } }),
    [Symbol.asyncDispose]: async () => {
      await child.stop('SIGTERM');
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Runs the program to its end; its streams are pipes, so its output is plain text. */
export async function runAbaco(
  args: readonly string[],
  { outputTo, input, env, onStart, onOutput }: CliOptions = {},
): Promise<CliRun> {
  const { promise, resolve } = Promise.withResolvers<CliRun>();
  const options = {
    encoding: 'buffer',
    env: { ...process.env, ...env, ...optional('OUTPUT_TO', outputTo) },
    maxBuffer: 100e6,
  } as const;
  const redirected = ['-c', 'exec "$0" "$@" >"$OUTPUT_TO"', abacoProgram, ...args];
  const child = execFile(
    outputTo === undefined ? abacoProgram : 'sh',
    outputTo === undefined ? [...args] : redirected,
    options,
    (error, bytes, errors) => {
      const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ exitCode, bytes, output: bytes.toString(), errors: errors.toString() });
    },
  );
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  child.stdout?.on('data', (chunk: Buffer) => onOutput?.(chunk.toString()));
  onStart?.((signal) => void child.kill(signal));
  return await promise;
}
