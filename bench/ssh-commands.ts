/**
 * Commands on a login node over one connection of ours, against a new connection for each, as `ssh HOST COMMAND` makes
 * it; then again with 20 ms on the way, as to another campus.
 */

import { execFile } from 'node:child_process';
import { appendFile, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { createHostPool } from '../launchers/host/host-pool.ts';
import { agentFiles } from '../test/support/agent-files.ts';
import { startCluster } from '../test/support/cluster.ts';
import { openSlowLink } from '../test/support/slow-link.ts';
import { slurmOptions } from '../test/support/slurm-bench.ts';
import { makeTestDirectory } from '../test/support/test-directory.ts';
import { compare, perSecond, report } from './rounds.ts';

const run = promisify(execFile);
const rounds = 5;
/** Of ours, as many under way as a service with that many executions has; the agent takes them in turn. */
const ourCommands = 1_000;
const underWay = 64;
/** sshd admits ten half-open logins (MaxStartups); more would measure its refusals. */
const plainCommands = 16;
const plainUnderWay = 4;
const delayMs = 20;

await using cluster = await startCluster(['directory', 'controller', 'login']);
const signal = new AbortController().signal;
const known = await readFile(cluster.knownHostsFile, 'utf8');

report('ssh-commands', await measure('ssh-commands', { host: cluster.login, port: 22 }));
await using far = await openSlowLink({ host: cluster.login, port: 22 }, delayMs);
await appendFile(cluster.knownHostsFile, known.replace(/^\S+/, `[127.0.0.1]:${far.port}`));
report('ssh-commands-20ms', await measure(`ssh-commands (${delayMs} ms away)`, { host: '127.0.0.1', port: far.port }));

async function measure(
  name: string,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<number> {
  const options = { ...slurmOptions(cluster), host, port };
  await using directory = await makeTestDirectory('ssh-commands');
  const pool = createHostPool({
    launcher: 'hpc',
    options,
    agentFiles,
    installationId: 'bench',
    dataDir: directory.path,
  });
  try {
    // Installs the agent, and connects.
    await pool.service.run({ argv: ['true'], parse }, signal);
    return await compare(name, rounds, {
      ours: async () =>
        await perSecond(ourCommands, underWay, async () => await pool.service.run({ argv: ['true'], parse }, signal)),
      plain: async () => await perSecond(plainCommands, plainUnderWay, async () => await newConnection(host, port)),
    });
  } finally {
    await pool.close();
  }
}

function parse({ exitCode }: { readonly exitCode: number | null }): void {
  if (exitCode !== 0) throw new Error(`"true" ended with ${String(exitCode)}`);
}

async function newConnection(host: string, port: number): Promise<void> {
  const identity = ['-i', cluster.keyFile, '-o', `UserKnownHostsFile=${cluster.knownHostsFile}`];
  const strict = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', '-p', String(port)];
  await run('ssh', [...identity, ...strict, `abaco@${host}`, 'true']);
}
