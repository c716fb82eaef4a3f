/**
 * Actors as claims last saw them. A claim says which version it has, and gets the record only when there is another: most
 * of what a claim would answer is a record that has not changed.
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

export function createKnownActors(redis: Redis): KnownActors {
  const kept = new Map<string, KnownActor>();
  // A server that lost its last writes would count the same versions again.
  onReconnect(redis, () => kept.clear());
  return {
    get: (key) => kept.get(key),
    keep(key, fields) {
      const actor = readActor(fields);
      if (kept.size >= mostKept) kept.clear();
      if (actor) kept.set(key, { version: fields.get('version')?.toString() ?? '', actor });
      return actor;
    },
  };
}
