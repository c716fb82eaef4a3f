/** The hosts of one cluster: its login node as the service account, and as each user. */

import { readFileSync } from 'node:fs';
import { ConfigError, ForbiddenError, InvalidError } from '../../src/errors.ts';
import type { Host } from './host.ts';
import type { HostOptions } from './host-options.ts';
import type { AgentFiles } from './install-agent.ts';
import { type KnownHosts, parseKnownHosts } from './known-hosts.ts';
import { createSshHost, type SshHost } from './ssh-host.ts';

export interface HostPool {
  /** As the account the service comes in with. */
  readonly service: SshHost;
  /** As this user. Throws `InvalidError` for a name that no account can have. */
  of(owner: string): Host;
  /** The user's own directory for what is ours. */
  workOf(owner: string): string;
  close(): Promise<void>;
}

export interface HostPoolOptions {
  readonly launcher: string;
  readonly options: HostOptions;
  readonly agentFiles: AgentFiles;
  readonly installationId: string;
}

/** As useradd(8) takes it, and most directories give it. It becomes part of paths and of a line of sudo. */
const accountName = /^[a-z_][a-z0-9_.-]{0,31}$/i;

export function createHostPool({ launcher, options, agentFiles, installationId }: HostPoolOptions): HostPool {
  const privateKey = readSetting(launcher, 'key_file', options.key_file);
  const source = options.known_hosts_file;
  const knownHosts: KnownHosts = parseKnownHosts(readSetting(launcher, 'known_hosts_file', source), source);
  const { host, port, user, become } = options;
  const hosts = new Map<string, SshHost>();

  const workOf = (owner: string): string => {
    if (!accountName.test(owner)) {
      throw new InvalidError('actor.invalid', `User ${JSON.stringify(owner)} cannot have an account on ${host}`);
    }
    return `${options.work.replaceAll('{username}', owner)}/${installationId}`;
  };

  function open(scratchRoots: readonly string[], becomes: string | undefined): SshHost {
    return createSshHost({
      target: { host, port, user, privateKey, knownHosts },
      limits: {
        connectMs: options.connect_timeout,
        authenticateMs: options.login_timeout,
        keepAliveMs: 15_000,
        channels: options.channels,
      },
      scratchRoots,
      agent: {
        files: agentFiles,
        directory: `${options.directory}/agent`,
        helloMs: options.login_timeout,
        ...(becomes === undefined ? {} : { becomes }),
      },
      idleMs: options.idle,
      backoff: { firstMs: 500, mostMs: 30_000 },
    });
  }

  const service = open([options.directory], undefined);
  return {
    service,
    workOf,
    of(owner) {
      const known = hosts.get(owner);
      if (known) return known;
      const work = workOf(owner);
      if (!become && owner !== user) {
        const message = `User "${owner}" cannot run on ${host}: the service comes in as "${user}" and may not become another`;
        throw new ForbiddenError('request.forbidden', message);
      }
      const opened = open([work], become ? owner : undefined);
      hosts.set(owner, opened);
      return opened;
    },
    async close() {
      await Promise.all([service, ...hosts.values()].map(async (one) => await one.close()));
    },
  };
}

function readSetting(launcher: string, key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const path = `launchers.${launcher}.${key}`;
    const reason = (thrown as NodeJS.ErrnoException).code ?? String(thrown);
    const message = `Setting "${path}" names a file that cannot be read: ${reason}`;
    throw new ConfigError([{ path, where: 'configuration', message }]);
  }
}
