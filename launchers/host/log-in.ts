/** `abaco clusters login`: OpenSSH asks in a terminal of its own, and the operator answers in theirs. */

import type { Readable, Writable } from 'node:stream';
import { spawn } from 'node-pty';
import { UnavailableError } from '../../src/errors.ts';
import type { OpensshLogin } from './openssh-login.ts';

export interface OperatorTerminal {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly output: Writable & { readonly columns?: number; readonly rows?: number };
}

/**
 * Resolves once the login stands; what it is asked and what is answered is seen by nobody but the terminal.
 * @throws UnavailableError when it ends without a login; why is on the terminal.
 */
export async function logIn(login: OpensshLogin, { input, output }: OperatorTerminal): Promise<void> {
  const [program, ...args] = login.prepare();
  const { promise: ended, resolve } = Promise.withResolvers<number>();
  const terminal = spawn(program, args, {
    cwd: login.directory,
    cols: output.columns ?? 80,
    rows: output.rows ?? 24,
    env: process.env,
  });
  terminal.onData((text) => void output.write(text));
  terminal.onExit(({ exitCode }) => resolve(exitCode));
  const pass = (bytes: Buffer | string): void => terminal.write(bytes.toString());
  const resize = (): void => terminal.resize(output.columns ?? 80, output.rows ?? 24);
  input.on('data', pass);
  output.on('resize', resize);
  if (input.isTTY === true) input.setRawMode?.(true);
  input.resume();
  try {
    const exitCode = await ended;
    if (exitCode === 0 && (await login.check(new AbortController().signal)) !== undefined) return;
    const why = `ssh ended with ${exitCode}, and what it said stands above${login.hint}`;
    throw new UnavailableError('host.needs_login', `Host ${login.name} was not logged in to: ${why}`);
  } finally {
    input.off('data', pass);
    output.off('resize', resize);
    if (input.isTTY === true) input.setRawMode?.(false);
    input.pause();
  }
}
