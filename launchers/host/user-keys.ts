/**
 * Private keys of users, one file each, encrypted at rest by AES-256-GCM. A file is text:
 *
 *     abaco-key-v1
 *     <base64 of: nonce, 12 bytes; tag, 16 bytes; the key, encrypted>
 *
 * The first line, the launcher's name and the user's are authenticated with it (separated by NUL), so that a file that
 * was renamed, or taken over to another launcher, does not open. Each writing takes a fresh nonce.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { ConfigError, InvalidError, LauncherError, NotFoundError } from '../../src/errors.ts';
import { codeOf, writeDurably } from '../../src/lib/durable-file.ts';
import { readSealKey, seal, unseal } from '../../src/lib/seal.ts';
import { fingerprintOf } from './known-hosts.ts';

export interface UserKeys {
  /** Takes the place of one that is there. @throws InvalidError unless it is a private key without a passphrase. */
  add(user: string, privateKey: string): Promise<KeyFacts>;
  /** @throws NotFoundError `host.no_key`. @throws LauncherError `host.key_unreadable`. */
  read(user: string): Promise<string>;
  /** What may be seen of each, sorted by user. */
  list(): Promise<readonly UserKey[]>;
  /** @returns whether there was one. */
  remove(user: string): Promise<boolean>;
}

export interface KeyFacts {
  readonly type: string;
  readonly fingerprint: string;
}

export interface UserKey extends Partial<KeyFacts> {
  readonly user: string;
  readonly since: Date;
  /** Why it does not open; nothing where it does. */
  readonly trouble?: string;
}

export interface UserKeysOptions {
  readonly launcher: string;
  /** Files of several launchers may lie in one: each has its own directory there. */
  readonly directory: string;
  /** 32 bytes. */
  readonly secret: Buffer;
}

const version = 'abaco-key-v1';
const suffix = '.key';

export function createUserKeys({ launcher, directory, secret }: UserKeysOptions): UserKeys {
  const own = join(directory, launcher);
  const fileOf = (user: string): string => join(own, `${user}${suffix}`);
  const belongsTo = (user: string): readonly string[] => [version, launcher, user];

  function open(user: string, file: string): string {
    const [head, body = ''] = file.split('\n');
    if (head !== version || body === '') throw unreadable(launcher, user, 'its file is not one of ours');
    const text = unseal(secret, belongsTo(user), body);
    if (text !== undefined) return text;
    throw unreadable(launcher, user, 'it was encrypted with another secret, or its file was changed');
  }

  async function read(user: string): Promise<string> {
    const file = await readFile(fileOf(user), 'utf8').catch((thrown: unknown) => {
      if (codeOf(thrown) === 'ENOENT') throw noKey(launcher, user);
      throw unreadable(launcher, user, `its file cannot be read: ${codeOf(thrown) ?? 'unknown'}`);
    });
    return open(user, file);
  }

  return {
    read,
    async add(user, privateKey) {
      const facts = factsOf(privateKey);
      await mkdir(own, { recursive: true, mode: 0o700 });
      const temporary = join(own, `.${randomBytes(6).toString('hex')}`);
      await writeDurably(
        fileOf(user),
        Buffer.from(`${version}\n${seal(secret, belongsTo(user), privateKey)}\n`),
        temporary,
        0o600,
      );
      return facts;
    },
    async list() {
      const names = await readdir(own).catch(() => []);
      const users = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
      return await Promise.all(
        users.toSorted().map(async (user) => {
          const { mtime: since } = await stat(fileOf(user));
          try {
            return { user, since, ...factsOf(await read(user)) };
          } catch (thrown) {
            return { user, since, trouble: (thrown as Error).message };
          }
        }),
      );
    },
    async remove(user) {
      try {
        await rm(fileOf(user));
        return true;
      } catch (thrown) {
        if (codeOf(thrown) === 'ENOENT') return false;
        throw thrown;
      }
    },
  };
}

/** @throws ConfigError unless there are 32 bytes, as they are or in base64. */
export function readKeysSecret(launcher: string, content: Buffer): Buffer {
  const key = readSealKey(content);
  if (key) return key;
  const path = `launchers.${launcher}.keys_secret_file`;
  const help = 'make one with "openssl rand -base64 32"';
  const message = `Setting "${path}" names a file that does not hold 32 bytes, as they are or in base64; ${help}`;
  throw new ConfigError([{ path, where: 'configuration', message }]);
}

function factsOf(privateKey: string): KeyFacts {
  const parsed = ssh2.utils.parseKey(privateKey);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    // Its words may quote what it was given.
    const locked = /encrypted|passphrase/i.test(String(key?.message));
    const why = locked ? 'it has a passphrase; take that away with "ssh-keygen -p" first' : 'it is in no form we know';
    throw new InvalidError('request.invalid', `What was given is no private key that can be kept: ${why}`);
  }
  if (!key.isPrivateKey()) {
    throw new InvalidError('request.invalid', 'What was given is a public key; the private one is needed');
  }
  return { type: key.type, fingerprint: fingerprintOf(key.getPublicSSH()) };
}

function noKey(launcher: string, user: string): NotFoundError {
  const help = `"abaco clusters keys add ${launcher} ${user}" adds one`;
  return new NotFoundError('host.no_key', `No key of user "${user}" is kept for launcher "${launcher}"; ${help}`);
}

function unreadable(launcher: string, user: string, why: string): LauncherError {
  const message = `The key of user "${user}" for launcher "${launcher}" does not open: ${why}`;
  return new LauncherError('host.key_unreadable', message);
}
