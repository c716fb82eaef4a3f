/** Logins by OpenSSH to the sshd of a test, and an operator who answers what is asked. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { createOpensshLogin, type OpensshLogin, type OpensshLoginOptions } from '../../launchers/host/openssh-login.ts';
import type { SshServer } from './ssh-server.ts';

export async function loginTo(server: SshServer, options: Partial<OpensshLoginOptions> = {}): Promise<OpensshLogin> {
  const knownHostsFile = join(server.directory, 'known_hosts');
  await writeFile(knownHostsFile, `${server.hostLine}\n`);
  const { host, port, user } = server.target;
  return createOpensshLogin({
    launcher: 'hpc',
    directory: join(server.directory, 'login'),
    target: { host, port, user, keyFile: join(server.directory, 'user'), jumps: [] },
    knownHostsFile,
    siteFile: '',
    connectMs: 5_000,
    idleMs: 60_000,
    ...options,
  });
}

export interface TestTerminal {
  readonly input: PassThrough;
  readonly output: PassThrough;
  /** All that was shown on it. */
  shown(): string;
}

/** @param answers - what the operator types when the terminal shows a prompt that ends so. */
export function terminal(answers: readonly (readonly [RegExp, string])[] = []): TestTerminal {
  const input = new PassThrough();
  const output = new PassThrough();
  const left = [...answers];
  let shown = '';
  let unanswered = '';
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    unanswered += chunk.toString();
    const [prompt, answer] = left[0] ?? [];
    if (!prompt?.test(unanswered)) return;
    left.shift();
    unanswered = '';
    input.write(`${answer}\r`);
  });
  return { input, output, shown: () => shown };
}
