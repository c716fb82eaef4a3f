/** A cluster as its operator sees it: who comes in and how, the login, the keys, the line of sudo. */

import { mkdirSync, statSync } from 'node:fs';
import { InvalidError } from '../../src/errors.ts';
import { checkUser, clusterAccess, userKeysOf } from './cluster-access.ts';
import type { HostOptions } from './host-options.ts';
import { logIn, type OperatorTerminal } from './log-in.ts';
import type { OpensshLogin } from './openssh-login.ts';
import { sudoersLine } from './sudo-rule.ts';
import type { KeyFacts, UserKey, UserKeys } from './user-keys.ts';

export interface Cluster {
  /** The launcher's. */
  readonly name: string;
  /** `account@host:port`. */
  readonly address: string;
  readonly transport: 'ssh2' | 'openssh';
  /** How programs come to run as their users. */
  readonly users: 'sudo' | 'keys' | 'itself';
  /** Process id of the `ssh` that holds the login; nothing while there is none. Throws where none is needed. */
  login(): Promise<number | undefined>;
  logIn(terminal: OperatorTerminal): Promise<void>;
  /** @returns whether somebody was logged in. */
  logOut(): Promise<boolean>;
  /** Throws where the settings name no place for keys. */
  addKey(user: string, privateKey: string): Promise<KeyFacts>;
  removeKey(user: string): Promise<boolean>;
  listKeys(): Promise<readonly UserKey[]>;
  /** @param group - whose members may be become. */
  sudoers(group: string): string;
}

/** @param dataDir - the launcher's own on this machine. */
export function createCluster(name: string, options: HostOptions, dataDir: string): Cluster {
  const { transport } = options;

  function login(): OpensshLogin {
    const access = clusterAccess(name, options, dataDir);
    if ('login' in access) return access.login;
    throw refusal(`Cluster "${name}" needs no login: the service comes in with a key (transport "ssh2")`);
  }

  function keys(): UserKeys {
    const found = userKeysOf(name, options);
    if (found) return found;
    throw refusal(`Cluster "${name}" keeps no keys of users: set "keys_dir" and "keys_secret_file" of its launcher`);
  }

  return {
    name,
    address: `${options.user}@${options.host}:${options.port}`,
    transport,
    users: options.keys_dir !== '' ? 'keys' : options.become ? 'sudo' : 'itself',
    login: async () => await login().check(new AbortController().signal),
    async logIn(terminal) {
      const wanted = login();
      checkAccount(dataDir);
      if ((await wanted.check(new AbortController().signal)) !== undefined) return;
      await logIn(wanted, terminal);
    },
    logOut: async () => await login().end(new AbortController().signal),
    async addKey(user, privateKey) {
      checkUser(options.host, user);
      return await keys().add(user, privateKey);
    },
    async removeKey(user) {
      checkUser(options.host, user);
      return await keys().remove(user);
    },
    listKeys: async () => await keys().list(),
    sudoers(group) {
      if (options.become && options.keys_dir === '') return sudoersLine(options, group);
      throw refusal(`Cluster "${name}" becomes nobody by sudo, so it needs no line of it`);
    },
  };
}

/** OpenSSH lets only the account that made a login go through it. */
function checkAccount(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const { uid } = statSync(dataDir);
  const own = process.getuid?.();
  if (uid === own) return;
  throw refusal(
    `Directory "${dataDir}" belongs to uid ${uid}, and this is ${own}: log in as the account of the service`,
  );
}

function refusal(message: string): InvalidError {
  return new InvalidError('request.invalid', message);
}
