/**
 * Actors as they were last seen. Who asks for one names or reads its version first, and gets the record only when there is
 * another: most of what would be answered is a record that has not changed.
 */

import type { Redis } from 'ioredis';
import type { Actor } from '../actors/actor.ts';
import { readActor } from '../actors/actor-record.ts';
import type { Fields } from '../executions/execution-record.ts';
import { onReconnect } from '../storage/redis.ts';

export interface KnownActor {
  readonly version: string;
  readonly actor: Actor;
}

export interface KnownActors {
  get(key: string): KnownActor | undefined;
  /** Reads the actor's hash and keeps what it says. */
  keep(key: string, fields: Fields): Actor | undefined;
}

/** Enough for the actors a process serves at a time; when there are more, all are read anew. */
const mostKept = 1_000;

/** One with a larger record is read anew each time. */
const mostBytes = 64 * 1024;

export function createKnownActors(redis: Redis): KnownActors {
  const kept = new Map<string, KnownActor>();
  // A server that lost its last writes would count the same versions again.
  onReconnect(redis, () => kept.clear());
  return {
    get: (key) => kept.get(key),
    keep(key, fields) {
      const actor = readActor(fields);
      const version = fields.get('version')?.toString();
      const bytes = fields.get('record')?.byteLength ?? 0;
      if (!actor || version === undefined || bytes > mostBytes) {
        kept.delete(key);
        return actor;
      }
      if (kept.size >= mostKept) kept.clear();
      kept.set(key, { version, actor });
      return actor;
    },
  };
}

/**
 * The state has a counter of its own, and the end of a deletion none.
 *
 * @param counted - `version`, `stateVersion` and `status` as they are.
 */
export function isSame({ version, actor }: KnownActor, counted: readonly (string | null | undefined)[]): boolean {
  const [recordVersion, stateVersion, status] = counted;
  return recordVersion === version && Number(stateVersion ?? 0) === actor.stateVersion && status === actor.status;
}
