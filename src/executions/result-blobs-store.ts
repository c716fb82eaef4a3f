/**
 * Executions that have ended and whose results are files. The list of results goes by itself when its time has passed after
 * its last use, and nobody can read them any more; what stands here is removed then, and its note after it, so that a crash
 * leaves nothing behind.
 */

import type { Redis } from 'ioredis';
import { type ActorRef, createKeys } from '../mailbox/keys.ts';
import { throwRedisError } from '../storage/redis.ts';
import { resultName } from './live-log.ts';

export interface ResultBlobs {
  /** Before the execution is forgotten here. Again is a no-op. */
  noteResults(actor: ActorRef, executionId: string, count: number): Promise<void>;
  /** Of at most `most` executions. Those whose results were read meanwhile come again later. */
  unreadableResults(most: number): Promise<readonly UnreadableResults[]>;
  /** Their blobs are gone. */
  forgetResults(unreadable: UnreadableResults): Promise<void>;
}

export interface UnreadableResults {
  readonly note: string;
  /** Also of those that were kept inline; there may be very many. */
  readonly blobs: Iterable<string>;
}

export interface ResultBlobsOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly resultsKeepMs: number;
}

/** As Redis says it. */
const listGone = -2;

export function createResultBlobs({ redis, prefix, resultsKeepMs }: ResultBlobsOptions): ResultBlobs {
  const keys = createKeys(prefix);
  const key = keys.resultBlobs;

  /** @returns whether nobody can read them any more. */
  async function isDue(note: string): Promise<boolean> {
    const { tenant, actorId, executionId } = parseNote(note);
    const leftMs = await redis.pttl(keys.of({ tenant, actorId }).results(executionId));
    if (leftMs === listGone) return true;
    await redis.zadd(key, 'XX', Date.now() + leftMs, note);
    return false;
  }

  return {
    async noteResults({ tenant, actorId }, executionId, count) {
      const note = [tenant, actorId, executionId, count].join(' ');
      await redis.zadd(key, Date.now() + resultsKeepMs, note).catch(throwRedisError);
    },

    async unreadableResults(most) {
      const notes = await redis.zrangebyscore(key, '-inf', Date.now(), 'LIMIT', 0, most).catch(throwRedisError);
      const due = await Promise.all(notes.map(isDue)).catch(throwRedisError);
      return notes
        .filter((_, index) => due[index])
        .map((note) => {
          const { executionId, count } = parseNote(note);
          return { note, blobs: namesOf(executionId, count) };
        });
    },

    async forgetResults({ note }) {
      await redis.zrem(key, note).catch(throwRedisError);
    },
  };
}

function* namesOf(executionId: string, count: number): Generator<string> {
  for (let number = 0; number < count; number += 1) yield resultName(executionId, number);
}

function parseNote(note: string) {
  const [tenant = '', actorId = '', executionId = '', count] = note.split(' ');
  return { tenant, actorId, executionId, count: Number(count) };
}
