/** Seals every secret anew that is under a key of before, so that the key can go. */

import { UnavailableError } from '../errors.ts';
import type { ConfigStore } from './config-store.ts';

export interface Resealed {
  /** How many were sealed anew, or would be. */
  readonly resealed: number;
  /** How many are under the newest key already. */
  readonly current: number;
  readonly unreadable: readonly UnreadableSecret[];
}

interface UnreadableSecret {
  readonly tenant: string;
  readonly name: string;
  readonly why: string;
}

/** Of every tenant. Again is a no-op. @param dryRun only counts */
export async function resealConfigs(
  configs: Pick<ConfigStore, 'names' | 'reseal'>,
  dryRun: boolean,
): Promise<Resealed> {
  const done = { resealed: 0, current: 0, 'no-secret': 0 };
  const unreadable: UnreadableSecret[] = [];
  for (const { tenant, name } of await configs.names()) {
    try {
      done[await configs.reseal(tenant, name, dryRun)] += 1;
    } catch (thrown) {
      if (!(thrown instanceof UnavailableError) || thrown.code !== 'secret.unreadable') throw thrown;
      unreadable.push({ tenant, name, why: thrown.message });
    }
  }
  return { resealed: done.resealed, current: done.current, unreadable };
}
