/** Where programs of a launcher run, and as whom: a login node behind SSH, or this machine. */

import { userInfo } from 'node:os';
import { ConfigError, InvalidError } from '../../src/errors.ts';
import { serviceAccount } from '../host/account.ts';
import { createAgentProcessHost } from '../host/agent-process.ts';
import type { Host } from '../host/host.ts';
import { createHostPool } from '../host/host-pool.ts';
import { type AgentFiles, installAgent } from '../host/install-agent.ts';
import { createLocalHost } from '../host/local-host.ts';
import type { ApptainerOptions } from './apptainer-options.ts';

export interface Places {
  /** As the account the service comes in with. */
  readonly service: Host;
  /** What users find there of ours: images, the helper, the agent. */
  readonly directory: string;
  /** Whether programs run as the owners of their actors; else as the account of the service. */
  readonly asOwner: boolean;
  /** Throws `InvalidError` for a name that no account can have, `ForbiddenError` for users as whom nothing runs. */
  of(owner: string): Host;
  /** Directory of a user for what is ours. */
  workOf(owner: string): string;
  /** Closes the connection as this user, unless somebody uses it; the next call makes another. */
  letGo(owner: string): Promise<void>;
  /** How commands get there; for people. */
  describe(): string;
  close(): Promise<void>;
}

export interface PlacesOptions {
  readonly launcher: string;
  readonly options: ApptainerOptions;
  readonly agentFiles: AgentFiles;
  readonly installationId: string;
  readonly dataDir: string;
}

export function createPlaces(parts: PlacesOptions): Places {
  checkOptions(parts);
  return parts.options.host === '' ? createLocalPlaces(parts) : createSshPlaces(parts);
}

function createSshPlaces({ launcher, options, agentFiles, installationId, dataDir }: PlacesOptions): Places {
  const pool = createHostPool({ launcher, options, agentFiles, installationId, dataDir });
  return {
    service: pool.service,
    directory: options.directory,
    asOwner: true,
    of: (owner) => pool.of(owner),
    workOf: (owner) => pool.workOf(owner),
    letGo: async (owner) => await pool.letGo(owner),
    describe: () => {
      const { mode } = pool.service;
      return mode.kind === 'plain' ? `does without: ${mode.why}` : 'runs on the login node';
    },
    close: async () => await pool.close(),
  };
}

const accountName = /^[a-z_][a-z0-9_.-]{0,31}$/i;

function createLocalPlaces({ options, agentFiles, installationId, dataDir }: PlacesOptions): Places {
  const directory = options.directory === '' ? dataDir : options.directory;
  const own = `${directory}/work/${installationId}`;
  const service = createLocalHost({ scratchRoots: [directory] });
  const hosts = new Map<string, Host>();
  const workOf = (owner: string): string => {
    if (!options.become) return own;
    if (accountName.test(owner)) return `${options.work.replaceAll('{username}', owner)}/${installationId}`;
    throw new InvalidError('actor.invalid', `User ${JSON.stringify(owner)} cannot have an account on this machine`);
  };
  let installed: Promise<unknown> | undefined;
  const install = async (): Promise<unknown> => {
    installed ??= installAgent(service, `${directory}/agent`, agentFiles);
    // What has failed is tried again.
    installed.catch(() => (installed = undefined));
    return await installed;
  };
  const open = (owner: string): Host =>
    createAgentProcessHost({
      name: `${owner}@this machine`,
      argv: ['sudo', '-n', '-H', '-u', owner, '--', `${directory}/agent/abaco-agent`],
      scratchRoots: [workOf(owner)],
      helloMs: options.login_timeout,
      // Checked by hash before its first use, as on any other host.
      before: install,
    });
  return {
    service,
    directory,
    asOwner: options.become,
    of(owner) {
      if (!options.become) return service;
      if (owner === userInfo().username) throw serviceAccount(owner, 'this machine');
      const host = hosts.get(owner) ?? open(owner);
      hosts.set(owner, host);
      return host;
    },
    workOf,
    // An agent on this machine is a process, and takes nothing that others wait for.
    letGo: async () => undefined,
    describe: () => (options.become ? 'becomes the owner by sudo' : 'runs as the account of the service'),
    close: async () => void (await Promise.all([...hosts.values()].map(async (host) => await host.close()))),
  };
}

/** What one place needs and the other does not. */
function checkOptions({ launcher, options }: PlacesOptions): void {
  const { host, become } = options;
  const needed =
    host === ''
      ? become
        ? (['directory', 'work'] as const)
        : []
      : (['user', 'key_file', 'known_hosts_file', 'directory', 'work'] as const);
  const missing = needed.filter((key) => options[key] === '');
  if (missing.length === 0) return;
  const why = host === '' ? 'become = true on this machine' : `host = "${host}"`;
  throw new ConfigError(
    missing.map((key) => {
      const path = `launchers.${launcher}.${key}`;
      return { path, where: 'configuration', message: `Setting "${path}" is needed with ${why}` };
    }),
  );
}
