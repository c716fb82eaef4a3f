/** A command of ours as a person runs it at a terminal. */

import { spawn } from 'node-pty';
import { abacoProgram } from './abaco-up.ts';

export interface Shown {
  readonly exitCode: number;
  readonly text: string;
}

export async function runInTerminal(args: readonly string[], directory: string): Promise<Shown> {
  const terminal = spawn(abacoProgram, [...args], { cwd: directory, env: process.env });
  let text = '';
  terminal.onData((piece) => {
    text += piece;
  });
  const { promise, resolve } = Promise.withResolvers<Shown>();
  terminal.onExit(({ exitCode }) => resolve({ exitCode, text }));
  return await promise;
}
