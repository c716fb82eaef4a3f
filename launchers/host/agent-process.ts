/** The agent as a process of this machine, behind a pipe: files and commands as another user, whom `sudo` makes of us. */

import { asError, ForbiddenError, UnavailableError } from '../../src/errors.ts';
import { type AgentChannel, type AgentHost, connectAgent } from './agent/agent-host.ts';
import { lastWords } from './command.ts';
import type { Host } from './host.ts';
import { spawnPiped } from './spawn-piped.ts';

export interface AgentProcessOptions {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly scratchRoots: readonly string[];
  readonly helloMs: number;
  /** Done before each start. */
  readonly before?: () => Promise<unknown>;
}

/** Started when it is needed, and again when it has ended. What it has started goes on without it. */
export function createAgentProcessHost(options: AgentProcessOptions): Host {
  let agent: Promise<AgentHost> | undefined;
  let closed = false;

  async function connected(): Promise<AgentHost> {
    if (closed) throw new UnavailableError('host.unavailable', `Host ${options.name} was closed by us`);
    const seen = agent;
    const made = await seen?.catch(() => undefined);
    if (made?.alive === true) return made;
    if (agent === seen) agent = start(options);
    return await (agent as Promise<AgentHost>);
  }

  return {
    name: options.name,
    run: async (command, signal) => await (await connected()).run(command, signal),
    put: async (path, content, put) => await (await connected()).put(path, content, put),
    async *get(path, range) {
      yield* (await connected()).get(path, range);
    },
    readMany: async (reads) => await (await connected()).readMany(reads),
    link: async (path, target) => await (await connected()).link(path, target),
    readLinks: async (paths) => await (await connected()).readLinks(paths),
    hash: async (path) => await (await connected()).hash(path),
    makeDirectory: async (path, mode) => await (await connected()).makeDirectory(path, mode),
    list: async (path) => await (await connected()).list(path),
    removeTree: async (path) => await (await connected()).removeTree(path),
    waitForChange: async (path, timeoutMs, signal) => await (await connected()).waitForChange(path, timeoutMs, signal),
    async close() {
      closed = true;
      await (await agent?.catch(() => undefined))?.close();
    },
  };
}

async function start({ name, argv, scratchRoots, helloMs, before }: AgentProcessOptions): Promise<AgentHost> {
  await before?.();
  try {
    return await connectAgent({ name, channel: startProcess(argv), scratchRoots, helloMs });
  } catch (thrown) {
    const { message } = asError(thrown);
    const says = `Host ${name} does not run our agent: ${message}`;
    if (/sudo: .*(?:unknown user|password is required|not allowed|account validation failure)/i.test(message)) {
      throw new ForbiddenError('host.denied', says, { cause: thrown });
    }
    throw new UnavailableError('host.unavailable', says, { cause: thrown });
  }
}

function startProcess([file, ...args]: readonly [string, ...string[]]): AgentChannel {
  const child = spawnPiped(file, args);
  let said = '';
  let failure = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  child.on('error', (error) => {
    failure = error.message;
  });
  // It ends while it is written to.
  child.stdin.on('error', () => undefined);
  return {
    write: (bytes) => void child.stdin.write(bytes),
    onData: (listener) => void child.stdout.on('data', listener),
    onClose: (listener) =>
      void child.once('close', (code) => {
        const how = failure || `the agent ended with ${String(code)}`;
        listener(said === '' ? how : `${how}: ${lastWords(said)}`);
      }),
    close: () => child.stdin.end(),
  };
}
