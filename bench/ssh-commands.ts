/**
 * Commands on a login node over one connection of ours, against a new connection for each, as `ssh HOST COMMAND` makes
 * it; then again with 20 ms on the way, as to another campus.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createHostPool } from '../launchers/host/host-pool.ts';
import { agentFiles } from '../test/support/agent-files.ts';
import { startCluster } from '../test/support/cluster.ts';
import { slurmOptions } from '../test/support/slurm-bench.ts';
import { compare, perSecond, report } from './rounds.ts';

const run = promisify(execFile);
const rounds = 5;
/** Of ours, as many under way as a service with that many executions has; the agent takes them in turn. */
const ourCommands = 1_000;
const underWay = 64;
/** sshd admits ten half-open logins (MaxStartups); more would measure its refusals. */
const plainCommands = 16;
const plainUnderWay = 4;
const delay = '20ms';

await using cluster = await startCluster(['directory', 'controller', 'login']);
const options = slurmOptions(cluster);
const pool = createHostPool({ launcher: 'hpc', options, agentFiles, installationId: 'bench' });
const signal = new AbortController().signal;
const parse = ({ exitCode }: { readonly exitCode: number | null }): void => {
  if (exitCode !== 0) throw new Error(`"true" ended with ${String(exitCode)}`);
};

try {
  await pool.service.run({ argv: ['true'], parse }, signal);
  report('ssh-commands', await compare('ssh-commands', rounds, { ours, plain }));
  const device = (await cluster.exec('login', "ip route show default | sed 's/.* dev //; s/ .*//'")).trim();
  await cluster.exec('login', `tc qdisc add dev ${device} root netem delay ${delay}`);
  report('ssh-commands-20ms', await compare(`ssh-commands (${delay})`, rounds, { ours, plain }));
} finally {
  await pool.close();
}

async function ours(): Promise<number> {
  return await perSecond(ourCommands, underWay, async () => {
    await pool.service.run({ argv: ['true'], parse }, signal);
  });
}

async function plain(): Promise<number> {
  const args = ['-i', cluster.keyFile, '-o', `UserKnownHostsFile=${cluster.knownHostsFile}`];
  const words = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes', `abaco@${cluster.login}`, 'true'];
  return await perSecond(plainCommands, plainUnderWay, async () => {
    await run('ssh', [...args, ...words]);
  });
}
