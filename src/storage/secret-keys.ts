/** The keys of secrets, from the files the configuration names, or from the one that `abaco up` makes for itself. */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { codeOf, writeDurably } from '../lib/durable-file.ts';
import { readSealKey, sealKeyBytes } from '../lib/seal.ts';

/**
 * `secrets.key` in the data directory, where no file is named: made where it is missing, by the one process that has the
 * directory for itself; used where it is there, by a command beside that process; or not looked for.
 */
export type OwnKey = 'make' | 'find' | 'ignore';

/** @returns the one that encrypts first, then those of before; none where no file is named and there is none of its own. */
export async function readSecretKeys(
  { secrets, service }: Pick<Config, 'secrets' | 'service'>,
  own: OwnKey,
): Promise<readonly Buffer[]> {
  const { keyFile, oldKeyFiles } = secrets;
  const old = await Promise.all(oldKeyFiles.map((file) => readKey('secrets.old_key_files', file)));
  if (keyFile !== '') return [await readKey('secrets.key_file', keyFile), ...old];
  if (own === 'ignore') return [];
  const key = await ownKey(service.dataDir, own === 'make');
  return key ? [key, ...old] : [];
}

async function ownKey(dataDir: string, make: boolean): Promise<Buffer | undefined> {
  const file = join(dataDir, 'secrets.key');
  try {
    await readFile(file);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT')
      throw refusal('secrets.key_file', file, `cannot be read: ${codeOf(thrown) ?? '?'}`);
    if (!make) return undefined;
    const text = `${randomBytes(sealKeyBytes).toString('base64')}\n`;
    await writeDurably(file, Buffer.from(text), `${file}.new-${randomBytes(6).toString('hex')}`, 0o600);
  }
  return await readKey('secrets.key_file', file);
}

async function readKey(setting: string, file: string): Promise<Buffer> {
  const content = await readFile(file).catch((thrown: unknown) => {
    throw refusal(setting, file, `cannot be read: ${codeOf(thrown) ?? 'unknown'}`);
  });
  const key = readSealKey(content);
  if (key) return key;
  const help = 'make one with "openssl rand -base64 32"';
  throw refusal(setting, file, `does not hold 32 bytes, as they are or in base64; ${help}`);
}

function refusal(path: string, file: string, why: string): ConfigError {
  const message = `Setting "${path}" needs file "${file}", which ${why}`;
  return new ConfigError([{ path, where: 'configuration', message }]);
}
