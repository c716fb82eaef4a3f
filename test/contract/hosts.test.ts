/** One suite for every host: this machine, an agent behind a pipe, both ways of SSH with the agent and without. */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type AgentChannel, connectAgent } from '../../launchers/host/agent/agent-host.ts';
import { createLocalHost } from '../../launchers/host/local-host.ts';
import { logIn } from '../../launchers/host/log-in.ts';
import { createOpensshConnector } from '../../launchers/host/openssh-connection.ts';
import { createSshHost } from '../../launchers/host/ssh-host.ts';
import { createSsh2Connector } from '../../launchers/host/ssh2-connection.ts';
import { agentAvailable, agentFiles } from '../support/agent-files.ts';
import { describeHost } from '../support/host-contract.ts';
import { loginTo, terminal } from '../support/openssh-login.ts';
import { requireService } from '../support/services.ts';
import { sshServerAvailable, startSshServer, testLimits } from '../support/ssh-server.ts';

describeHost(
  'this machine',
  async (scratchRoots) => {
    const host = createLocalHost({ scratchRoots });
    return { host, [Symbol.asyncDispose]: async () => await host.close() };
  },
  { killsWhatIsCutOff: true },
);

const hasAgent = requireService('agent', await agentAvailable());
const hasSshd = requireService('sshd', await sshServerAvailable());

if (hasAgent) {
  describeHost(
    'an agent behind a pipe',
    async (scratchRoots) => {
      const child = spawn(agentFiles.node, [agentFiles.script, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
      const channel: AgentChannel = {
        write: (bytes) => void child.stdin.write(bytes),
        onData: (listener) => void child.stdout.on('data', listener),
        onClose: (listener) => void child.once('close', (code) => listener(`it ended with ${String(code)}`)),
        close: () => child.stdin.end(),
      };
      const host = await connectAgent({ name: 'a pipe', channel, scratchRoots, helloMs: 10_000 });
      return { host, [Symbol.asyncDispose]: async () => await host.close() };
    },
    { killsWhatIsCutOff: true },
  );
}

async function startSsh(scratchRoots: readonly string[], withAgent: boolean) {
  const server = await startSshServer();
  const directory = join(server.directory, 'agent');
  const host = createSshHost({
    connector: createSsh2Connector(server.target, testLimits),
    scratchRoots,
    ...(withAgent ? { agent: { files: agentFiles, directory, helloMs: 10_000 } } : {}),
    idleMs: 60_000,
    backoff: { firstMs: 10, mostMs: 100 },
  });
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      await host.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function startOpenssh(scratchRoots: readonly string[], withAgent: boolean) {
  const server = await startSshServer();
  const login = await loginTo(server);
  await logIn(login, terminal());
  const host = createSshHost({
    connector: createOpensshConnector(login, testLimits),
    scratchRoots,
    ...(withAgent ? { agent: { files: agentFiles, directory: join(server.directory, 'agent'), helloMs: 10_000 } } : {}),
    idleMs: 60_000,
    backoff: { firstMs: 10, mostMs: 100 },
  });
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      await host.close();
      await login.end(AbortSignal.timeout(10_000));
      await server[Symbol.asyncDispose]();
    },
  };
}

if (hasSshd) {
  describeHost('SSH without the agent', async (roots) => await startSsh(roots, false), { killsWhatIsCutOff: false });
}
if (hasSshd && hasAgent) {
  describeHost('SSH with the agent', async (roots) => await startSsh(roots, true), { killsWhatIsCutOff: true });
}
if (hasSshd) {
  describeHost('OpenSSH without the agent', async (roots) => await startOpenssh(roots, false), {
    killsWhatIsCutOff: false,
  });
}
if (hasSshd && hasAgent) {
  describeHost('OpenSSH with the agent', async (roots) => await startOpenssh(roots, true), { killsWhatIsCutOff: true });
}
