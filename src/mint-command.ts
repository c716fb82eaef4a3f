/** What `abaco token mint` prints: a token by the development key of a tenant. */

import { mintToken } from './auth/mint-token.ts';
import type { LoadedConfig } from './config/load.ts';
import { InvalidError } from './errors.ts';
import { systemClock } from './lib/clock.ts';
import { parseDuration } from './lib/duration.ts';
import { readRsaPrivateKey } from './lib/rsa-key.ts';

export interface MintFlags {
  readonly user: string;
  readonly ttl: string;
  readonly tenant?: string;
  readonly role: readonly string[];
}

export async function mintFor(flags: MintFlags, { config }: LoadedConfig): Promise<string> {
  const tenant = (flags.tenant ?? config.auth.defaultTenant).toUpperCase();
  const key = readRsaPrivateKey(developmentKey(tenant, config.tenants[tenant]?.developmentKey));
  const ttlMs = parseDuration(flags.ttl);
  if (ttlMs === undefined || ttlMs < 1_000) {
    throw new InvalidError('request.invalid', `--ttl "${flags.ttl}" is no duration of a second or more, as 30m or 8h`);
  }
  return await mintToken(key, { user: flags.user, roles: flags.role, ttlMs, now: systemClock.now() });
}

function developmentKey(tenant: string, key: string | undefined): string {
  if (key === undefined) {
    throw new InvalidError(
      'request.invalid',
      `The configuration has no [tenants.${tenant}]; name another with --tenant`,
    );
  }
  if (key !== '') return key;
  const help = 'make a key with "openssl genrsa -out FILE 3072", and name it as development_key_file';
  throw new InvalidError('request.invalid', `Tenant "${tenant}" has no development key: ${help}`);
}
