/** The keys of secrets, from the files the configuration names, or from the one that `abaco up` makes for itself. */

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { ConfigError } from '../errors.ts';
import { codeOf, writeDurably } from '../lib/durable-file.ts';
import { readSealKey, sealKeyBytes } from '../lib/seal.ts';

/**
 * @param alone whether the data directory is this process's alone; only then is a key made.
 * @returns the one that encrypts first, then those of before; none where no file is named and none is made.
 */
export async function readSecretKeys(
  { secrets, service }: Pick<Config, 'secrets' | 'service'>,
  alone: boolean,
): Promise<readonly Buffer[]> {
  const { keyFile, oldKeyFiles } = secrets;
  const old = await Promise.all(oldKeyFiles.map((file) => readKey('secrets.old_key_files', file)));
  if (keyFile !== '') return [await readKey('secrets.key_file', keyFile), ...old];
  return alone ? [await ownKey(service.dataDir), ...old] : [];
}

async function ownKey(dataDir: string): Promise<Buffer> {
  const file = join(dataDir, 'secrets.key');
  try {
    await readFile(file);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOENT')
      throw refusal('secrets.key_file', file, `cannot be read: ${codeOf(thrown) ?? '?'}`);
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
