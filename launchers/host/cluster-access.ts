/** How a cluster is come in to, as its settings say: the files they name are read, and what does not fit is a mistake. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asError, ConfigError, InvalidError } from '../../src/errors.ts';
import { optional } from '../../src/lib/optional.ts';
import type { HostOptions } from './host-options.ts';
import { type KnownHosts, parseKnownHosts } from './known-hosts.ts';
import { createOpensshLogin, type OpensshLogin } from './openssh-login.ts';
import { unavailable } from './ssh-connection.ts';
import type { SshTarget } from './ssh2-login.ts';
import { createUserKeys, readKeysSecret, type UserKeys } from './user-keys.ts';

export type ClusterAccess =
  | {
      readonly transport: 'ssh2';
      /** By what the files say now: an operator mends them while the service runs. @throws UnavailableError */
      readonly targetOf: (owner?: UserLogin) => SshTarget;
      /** Where users come in with keys of their own. */
      readonly keys: UserKeys | undefined;
    }
  | { readonly transport: 'openssh'; readonly login: OpensshLogin };

/** Of a user with a key of their own. */
export type UserLogin = Pick<SshTarget, 'user' | 'privateKey'>;

/** As useradd(8) takes it, and most directories give it. It becomes part of paths and of a line of sudo. */
const accountName = /^[a-z_][a-z0-9_.-]{0,31}$/i;

/** @throws InvalidError for a name that no account can have. */
export function checkUser(host: string, user: string): void {
  if (accountName.test(user)) return;
  throw new InvalidError('actor.invalid', `User ${JSON.stringify(user)} cannot have an account on ${host}`);
}

/** @param dataDir - the launcher's own on this machine. @throws ConfigError */
export function clusterAccess(launcher: string, options: HostOptions, dataDir: string): ClusterAccess {
  readKnownHosts(launcher, options);
  if (options.transport === 'openssh') return { transport: 'openssh', login: loginOf(launcher, options, dataDir) };
  if (options.ssh_config !== '') throw mistake(launcher, 'ssh_config', 'is read by the transport "openssh" alone');
  if (options.key_file === '') throw mistake(launcher, 'key_file', 'is missing; the transport "ssh2" needs it');
  readTarget(launcher, options);
  return {
    transport: 'ssh2',
    keys: userKeysOf(launcher, options),
    targetOf(owner) {
      try {
        return { ...readTarget(launcher, options), ...owner };
      } catch (thrown) {
        throw unavailable(`${options.user}@${options.host}`, asError(thrown).message, thrown);
      }
    },
  };
}

/** Nothing where the settings name no place for keys. @throws ConfigError */
export function userKeysOf(launcher: string, options: HostOptions): UserKeys | undefined {
  const { keys_dir: directory, keys_secret_file: file } = options;
  if (directory === '') return undefined;
  if (file === '') throw mistake(launcher, 'keys_secret_file', 'is missing; "keys_dir" needs it');
  const secret = readKeysSecret(launcher, readSettingBytes(launcher, 'keys_secret_file', file));
  return createUserKeys({ launcher, directory, secret });
}

function loginOf(launcher: string, options: HostOptions, dataDir: string): OpensshLogin {
  if (options.keys_dir !== '') {
    throw mistake(launcher, 'keys_dir', 'needs the transport "ssh2": a login of "openssh" is that of one account');
  }
  const { host, port, user, key_file: keyFile } = options;
  const jumps = options.jump.map((jump) => ({ ...jump, keyFile: jump.key_file === '' ? keyFile : jump.key_file }));
  return createOpensshLogin({
    launcher,
    directory: join(dataDir, 'login'),
    target: { host, port, user, keyFile, jumps },
    knownHostsFile: options.known_hosts_file,
    siteFile: options.ssh_config,
    connectMs: options.connect_timeout,
    idleMs: options.login_idle,
  });
}

/** As the service account. @throws ConfigError */
function readTarget(launcher: string, options: HostOptions): SshTarget {
  const { host, port, user } = options;
  const privateKey = readSetting(launcher, 'key_file', options.key_file);
  const knownHosts = readKnownHosts(launcher, options);
  const jump = jumpOf(launcher, options, privateKey, knownHosts);
  return { host, port, user, privateKey, knownHosts, ...optional('jump', jump) };
}

/** Each is reached through the one before it. */
function jumpOf(
  launcher: string,
  options: HostOptions,
  privateKey: string,
  knownHosts: KnownHosts,
): SshTarget | undefined {
  return options.jump.reduce<SshTarget | undefined>((before, { host, port, user, key_file: file }, index) => {
    const key = file === '' ? privateKey : readSetting(launcher, `jump[${index}].key_file`, file);
    return { host, port, user, privateKey: key, knownHosts, ...(before ? { jump: before } : {}) };
  }, undefined);
}

function readKnownHosts(launcher: string, { known_hosts_file: source }: HostOptions): KnownHosts {
  return parseKnownHosts(readSetting(launcher, 'known_hosts_file', source), source);
}

function readSetting(launcher: string, key: string, file: string): string {
  return readSettingBytes(launcher, key, file).toString('utf8');
}

function readSettingBytes(launcher: string, key: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    const reason = (thrown as NodeJS.ErrnoException).code ?? String(thrown);
    throw mistake(launcher, key, `names a file that cannot be read: ${reason}`);
  }
}

function mistake(launcher: string, key: string, what: string): ConfigError {
  const path = `launchers.${launcher}.${key}`;
  return new ConfigError([{ path, where: 'configuration', message: `Setting "${path}" ${what}` }]);
}
