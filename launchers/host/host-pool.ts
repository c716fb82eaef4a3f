/** The hosts of one cluster: its login node as the service account, and as each user. */

import { ForbiddenError, NotFoundError } from '../../src/errors.ts';
import { serviceAccount } from './account.ts';
import { usualMs } from './answer-limits.ts';
import { checkUser, clusterAccess, type UserLogin } from './cluster-access.ts';
import type { Host } from './host.ts';
import type { HostOptions } from './host-options.ts';
import type { AgentFiles } from './install-agent.ts';
import { createOpensshConnector } from './openssh-connection.ts';
import type { SshConnector, SshLimits } from './ssh-connection.ts';
import { createSshHost, type SshHost } from './ssh-host.ts';
import { createSsh2Connector } from './ssh2-connection.ts';
import type { SshTarget } from './ssh2-login.ts';
import { agentDirectory } from './sudo-rule.ts';
import type { UserKeys } from './user-keys.ts';

export interface HostPool {
  /** As the account the service comes in with. */
  readonly service: SshHost;
  /** Keys of users, where each comes in with their own. */
  readonly keys: UserKeys | undefined;
  /**
   * As this user. Throws `InvalidError` for a name that no account can have, `ForbiddenError` for a user the service may
   * not become, and for its own account where it becomes others.
   */
  of(owner: string): Host;
  /** The user's own directory for what is ours. */
  workOf(owner: string): string;
  /** Closes the connection as this user, unless somebody uses it; the next call makes another. */
  letGo(owner: string): Promise<void>;
  close(): Promise<void>;
}

export interface HostPoolOptions {
  readonly launcher: string;
  readonly options: HostOptions;
  /** The launcher's own on this machine. */
  readonly dataDir: string;
  readonly agentFiles: AgentFiles;
  readonly installationId: string;
}

export function createHostPool(poolOptions: HostPoolOptions): HostPool {
  const { launcher, options, agentFiles, installationId } = poolOptions;
  const { host, user } = options;
  const access = clusterAccess(launcher, options, poolOptions.dataDir);
  const hosts = new Map<string, SshHost>();
  const limits: SshLimits = {
    connectMs: options.connect_timeout,
    authenticateMs: options.login_timeout,
    openMs: usualMs,
    keepAliveMs: 15_000,
    channels: options.channels,
  };

  const workOf = (owner: string): string => {
    checkUser(host, owner);
    return `${options.work.replaceAll('{username}', owner)}/${installationId}`;
  };

  function open(connector: SshConnector, scratchRoots: readonly string[], becomes?: string): SshHost {
    return createSshHost({
      connector,
      scratchRoots,
      agent: {
        files: agentFiles,
        directory: agentDirectory(options),
        helloMs: options.login_timeout,
        ...(becomes === undefined ? {} : { becomes }),
      },
      idleMs: options.idle,
      backoff: { firstMs: 500, mostMs: 30_000 },
    });
  }

  const connector =
    'login' in access ? createOpensshConnector(access.login, limits) : connectorAs(user, async () => access.targetOf());
  const service = open(connector, [options.directory]);

  function connectorAs(account: string, target: () => Promise<SshTarget>): SshConnector {
    return {
      name: `${account}@${host}`,
      host,
      user: account,
      transport: 'ssh2',
      connect: async (signal) => await createSsh2Connector(await target(), limits).connect(signal),
    };
  }

  /** With the key of the user; what the service account has installed is there first, and is the user's to run only. */
  function connectorOf(owner: string, keys: UserKeys, targetOf: (login: UserLogin) => SshTarget): SshConnector {
    return connectorAs(owner, async () => {
      const privateKey = await keys.read(owner).catch((thrown: unknown) => {
        throw thrown instanceof NotFoundError ? new ForbiddenError('host.no_key', thrown.message) : thrown;
      });
      await service.list(options.directory);
      return targetOf({ user: owner, privateKey });
    });
  }

  function openFor(owner: string): SshHost {
    const roots = [workOf(owner)];
    const keyed = 'keys' in access && access.keys ? connectorOf(owner, access.keys, access.targetOf) : undefined;
    if (owner === user) {
      if (keyed || options.become) throw serviceAccount(owner, host);
      return open(connector, roots);
    }
    if (keyed) return open(keyed, roots);
    if (options.become) return open(connector, roots, owner);
    const help = 'set "become" and let sudo allow it, or keep keys of users ("keys_dir")';
    const message = `User "${owner}" cannot run on ${host}: the service comes in as "${user}" and may not become another; ${help}`;
    throw new ForbiddenError('request.forbidden', message);
  }

  return {
    service,
    keys: 'keys' in access ? access.keys : undefined,
    workOf,
    of(owner) {
      const known = hosts.get(owner);
      if (known) return known;
      const opened = openFor(owner);
      hosts.set(owner, opened);
      return opened;
    },
    letGo: async (owner) => await hosts.get(owner)?.rest(),
    async close() {
      await Promise.all([service, ...hosts.values()].map(async (one) => await one.close()));
    },
  };
}
