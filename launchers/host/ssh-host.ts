/**
 * A host behind SSH: one connection, made when it is needed, and on it the resident agent. Where the agent cannot run,
 * plain commands and SFTP stand in, and `mode` says why.
 */

import { asError, ForbiddenError, ServiceError, UnavailableError, UnknownOutcomeError } from '../../src/errors.ts';
import { type BackoffOptions, pauseMs } from '../../src/lib/backoff.ts';
import { shellLine } from '../../src/lib/shell.ts';
import { type AgentChannel, connectAgent } from './agent/agent-host.ts';
import { lastWords } from './command.ts';
import type { Host } from './host.ts';
import { type AgentFiles, installAgent } from './install-agent.ts';
import { createPlainSshHost } from './plain-ssh-host.ts';
import type { ChannelEnd, SshChannel, SshConnection, SshConnector } from './ssh-connection.ts';

export interface SshHostOptions {
  readonly connector: SshConnector;
  readonly scratchRoots: readonly string[];
  readonly agent?: AgentOptions;
  /** An unused connection is closed after so long. */
  readonly idleMs: number;
  /** Between attempts to connect; a call in between is told the last reason at once. */
  readonly backoff: BackoffOptions;
}

export interface AgentOptions {
  readonly files: AgentFiles;
  /** Where they are installed there; several users may share it. */
  readonly directory: string;
  /** The user whom the one of the connection becomes by `sudo`. */
  readonly becomes?: string;
  readonly helloMs: number;
}

export type SshMode =
  | { readonly kind: 'closed' }
  | { readonly kind: 'agent'; readonly version: string }
  /** The agent does not run there; why. */
  | { readonly kind: 'plain'; readonly why: string };

export interface SshHost extends Host {
  readonly mode: SshMode;
  readonly transport: SshConnector['transport'];
  /** Lets go of the connection unless somebody uses it; the next call makes another. */
  rest(): Promise<void>;
}

const closedMode: SshMode = { kind: 'closed' };

interface Link {
  readonly host: Host;
  readonly mode: SshMode;
  readonly connection: SshConnection;
  readonly alive: () => boolean;
}

export function createSshHost(options: SshHostOptions): SshHost {
  const { connector, agent, idleMs } = options;
  const name = `${agent?.becomes ?? connector.user}@${connector.host}`;
  const closing = new AbortController();
  let link: Promise<Link> | undefined;
  let current: Link | undefined;
  let failures = 0;
  let trouble: { readonly error: Error; readonly untilMs: number } | undefined;
  let users = 0;
  let idle: NodeJS.Timeout | undefined;

  /** One attempt for all who ask meanwhile, and one connection. */
  async function attempt(): Promise<Link> {
    try {
      current = await connect(options, name, closing.signal);
      failures = 0;
      trouble = undefined;
      return current;
    } catch (thrown) {
      link = undefined;
      const error = asError(thrown);
      // Whether somebody has logged in is seen on this machine; nobody is knocked at for it.
      if (error instanceof ServiceError && error.code === 'host.needs_login') failures = 0;
      trouble = { error, untilMs: Date.now() + pauseMs(failures, options.backoff) };
      failures += 1;
      throw error;
    }
  }

  async function connected(): Promise<Link> {
    if (closing.signal.aborted) throw new UnavailableError('host.unavailable', `Host ${name} was closed by us`);
    const seen = link;
    if (seen) {
      const made = await seen;
      if (made.alive()) return made;
      made.connection.close();
      // Others have found it dead as well, and one of them may have begun to connect.
      if (link === seen) link = undefined;
    }
    if (!link && trouble && Date.now() < trouble.untilMs) throw trouble.error;
    link ??= attempt();
    return await link;
  }

  function enter(): void {
    users += 1;
    clearTimeout(idle);
  }

  function leave(): void {
    users -= 1;
    if (users === 0) idle = setTimeout(() => void rest(), idleMs).unref();
  }

  async function hold<T>(use: (host: Host) => Promise<T>): Promise<T> {
    enter();
    try {
      return await use((await connected()).host);
    } finally {
      leave();
    }
  }

  async function rest(): Promise<void> {
    const made = await link?.catch(() => undefined);
    if (!made || users > 0) return;
    link = undefined;
    current = undefined;
    await made.host.close();
    made.connection.close();
  }

  return {
    name,
    transport: connector.transport,
    get mode() {
      return current?.alive() === true ? current.mode : closedMode;
    },
    run: async (command, signal) => await hold(async (host) => await host.run(command, signal)),
    put: async (path, content, put) => await hold(async (host) => await host.put(path, content, put)),
    async *get(path, range) {
      enter();
      try {
        yield* (await connected()).host.get(path, range);
      } finally {
        leave();
      }
    },
    readMany: async (reads) => await hold(async (host) => await host.readMany(reads)),
    link: async (path, leadsTo) => await hold(async (host) => await host.link(path, leadsTo)),
    readLinks: async (paths) => await hold(async (host) => await host.readLinks(paths)),
    hash: async (path) => await hold(async (host) => await host.hash(path)),
    makeDirectory: async (path, mode) => await hold(async (host) => await host.makeDirectory(path, mode)),
    list: async (path) => await hold(async (host) => await host.list(path)),
    removeTree: async (path) => await hold(async (host) => await host.removeTree(path)),
    waitForChange: async (path, timeoutMs, signal) =>
      await hold(async (host) => await host.waitForChange(path, timeoutMs, signal)),
    rest,
    async close() {
      closing.abort(new Error('the service stops'));
      clearTimeout(idle);
      users = 0;
      await rest();
    },
  };
}

async function connect(options: SshHostOptions, name: string, signal: AbortSignal): Promise<Link> {
  const { connector } = options;
  const connection = await connector.connect(signal);
  const plain = createPlainSshHost(connection, options.scratchRoots);
  const without = (why: string): Link => ({
    connection,
    host: plain,
    mode: { kind: 'plain', why },
    alive: () => connection.alive,
  });
  const { agent } = options;
  if (!agent) return without('the configuration wants none');
  // Whoever closes the host waits for the installation, which waits for the other side.
  const leave = (): void => connection.close();
  signal.addEventListener('abort', leave, { once: true });
  try {
    const { wrapper, version } = await installAgent(plain, agent.directory, agent.files);
    signal.throwIfAborted();
    const channel = await startAgent(connection, wrapper, agent.becomes);
    const { scratchRoots } = options;
    const host = await connectAgent({ name, channel, scratchRoots, helloMs: agent.helloMs });
    if (host.hello.version !== version) {
      await host.close();
      throw new UnavailableError('host.unavailable', `an agent of another version answered: ${host.hello.version}`);
    }
    return { connection, host, mode: { kind: 'agent', version }, alive: () => host.alive && connection.alive };
  } catch (thrown) {
    const { message } = asError(thrown);
    // As another user there is no other way in.
    if (connection.alive && agent.becomes === undefined && !signal.aborted) return without(message);
    const wasAlive = connection.alive;
    connection.close();
    if (!wasAlive && (thrown instanceof UnavailableError || thrown instanceof ForbiddenError)) throw thrown;
    if (agent.becomes !== undefined && isRefusedBySudo(message)) {
      const why = `sudo does not make "${agent.becomes}" of "${connector.user}" there: ${message}`;
      throw new ForbiddenError('host.denied', `Host ${connector.host} runs nothing for this user: ${why}`, {
        cause: thrown,
      });
    }
    // What is not known of the installation leaves no doubt about what the caller asks: nothing of that was run.
    const cause = thrown instanceof UnknownOutcomeError ? thrown.cause : thrown;
    throw new UnavailableError('host.unavailable', `Host ${name} does not run our agent: ${message}`, { cause });
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** As sudo(8) says it of a user it does not know, or may not become: no other user's trouble. */
function isRefusedBySudo(message: string): boolean {
  return /sudo: .*(?:unknown user|password is required|not allowed|account validation failure)/i.test(message);
}

/** Its standard error is kept: what sudo or the loader say stands there. */
async function startAgent(
  connection: SshConnection,
  wrapper: string,
  becomes: string | undefined,
): Promise<AgentChannel> {
  const argv = becomes === undefined ? [wrapper] : ['sudo', '-n', '-H', '-u', becomes, '--', wrapper];
  const { promise, resolve, reject } = Promise.withResolvers<AgentChannel>();
  // Held as long as the agent lives: the turn it takes is one of the connection's.
  void connection
    .withChannel(
      shellLine(argv),
      async (channel) => {
        resolve(agentChannel(channel));
        await channel.ended;
      },
      { isHeld: true },
    )
    .catch(reject);
  return await promise;
}

function agentChannel(channel: SshChannel): AgentChannel {
  let said = '';
  let reason: string | undefined;
  const listeners: ((reason: string) => void)[] = [];
  channel.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  channel.stdin.on('error', () => undefined);
  void channel.ended.then((end) => {
    const how = end ? `the agent ${howItEnded(end)}` : 'the channel was closed';
    reason = said.trim() === '' ? how : `${how}: ${lastWords(said)}`;
    for (const listener of listeners) listener(reason);
  });
  return {
    write: (bytes) => void channel.stdin.write(bytes),
    onData: (listener) => void channel.stdout.on('data', listener),
    onClose(listener) {
      if (reason === undefined) listeners.push(listener);
      else listener(reason);
    },
    close: () => channel.close(),
  };
}

function howItEnded({ exitCode, signal }: ChannelEnd): string {
  return exitCode === null ? `was ended by ${String(signal)}` : `ended with ${exitCode}`;
}
