/** Body of `abaco secrets reseal`: what is left to do before a key of before can go. */

import { createConfigStore } from './actors/config-store.ts';
import { type Resealed, resealConfigs } from './actors/reseal-configs.ts';
import { createSecretBox } from './actors/secret-box.ts';
import { renderJson } from './client/output.ts';
import { createScreen } from './client/screen.ts';
import type { LoadedConfig } from './config/load.ts';
import { InvalidError } from './errors.ts';
import { createKeys } from './mailbox/keys.ts';
import { storeShape } from './storage/installation.ts';
import { withRedis } from './storage/operator-redis.ts';
import { readSecretKeys } from './storage/secret-keys.ts';
import { planMark } from './storage/store-mark.ts';

export interface ResealFlags {
  readonly dryRun: boolean;
  readonly json: boolean;
  /** Name and version of this program. */
  readonly writtenBy: string;
}

/** @returns whether all secrets open. */
export async function resealSecrets({ dryRun, json, writtenBy }: ResealFlags, { config }: LoadedConfig) {
  const keys = await readSecretKeys(config, 'find');
  if (keys.length === 0) {
    const help = `name the key as secrets.key_file; data directory "${config.service.dataDir}" holds none either`;
    throw new InvalidError('secret.no_key', `Secrets cannot be sealed anew, for there is no key: ${help}`);
  }
  const secrets = createSecretBox(keys);
  const { prefix } = config.redis;
  const place = { config, key: createKeys(prefix).installation, why: 'it alone keeps the secrets' };
  const done = await withRedis(place, async (redis, mark) => {
    // Refuses what a newer version wrote.
    planMark(mark, { ...mark, shape: storeShape, writtenBy }, 'Redis');
    return await resealConfigs(createConfigStore({ redis, prefix, secrets }), dryRun);
  });
  const screen = createScreen({ output: process.stdout, errors: process.stderr });
  await screen.write(json ? renderJson(done) : describe(done, dryRun));
  return done.unreadable.length === 0;
}

function describe({ resealed, current, unreadable }: Resealed, dryRun: boolean): string {
  const lines = [
    `sealed anew${dryRun ? ', if it were done' : ''}: ${resealed}`,
    `under the newest key already: ${current}`,
    `that do not open: ${unreadable.length}`,
    ...unreadable.map(({ tenant, why }) => `Tenant "${tenant}": ${why}`),
  ];
  return `${lines.join('\n')}\n`;
}
