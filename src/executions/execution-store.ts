/** Executions that are alive, and those that have ended and are still owed to the history: what readers ask first. */

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { EndedExecution } from '../history/history.ts';
import { type ActorRef, createKeys } from '../mailbox/keys.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type Body, byArrival, type Execution, isFinal, type LogRef, type Message } from './execution.ts';
import {
  type Fields,
  listedFields,
  readBody,
  readExecution,
  readFields,
  readLog,
  readMessage,
} from './execution-record.ts';
import { createResultBlobs, type ResultBlobs } from './result-blobs-store.ts';

export interface ExecutionStore extends ResultBlobs {
  /** Nothing when it never was, or when only the history knows it. */
  get(actor: ActorRef, executionId: string): Promise<Execution | undefined>;
  /** What is here, oldest first; of those that wait at most the last `most`. */
  list(actor: ActorRef, most: number): Promise<LiveListing>;
  /** The first messages that wait, with their bodies, which stay where they are. */
  waiting(actor: ActorRef, most: number): Promise<readonly WaitingMessage[]>;
  /** The log as it was settled; nothing before the end. */
  log(actor: ActorRef, executionId: string): Promise<LogRef | undefined>;
  /** The oldest result that was not read yet, which counts as read from now on. */
  takeResult(actor: ActorRef, executionId: string): Promise<Body | undefined>;
  /** Whether `secret` is an access token this execution was given, and the execution has not ended. */
  authenticate(actor: ActorRef, executionId: string, secret: string): Promise<boolean>;
  /** What the history is owed for an ended execution, and which blobs of it have an end. */
  ended(actor: ActorRef, executionId: string): Promise<FoundEnd | undefined>;
}

export interface FoundEnd {
  readonly ended: Omit<EndedExecution, 'logExpiresAt'>;
  /** Of its message, which nobody needs any more. */
  readonly messageBlob?: string;
  /** How many results there were, where some of them may be blobs. */
  readonly resultBlobs?: number;
}

export interface LiveListing {
  /** By arrival. */
  readonly executions: readonly Execution[];
  /** How many more wait, older ones. */
  readonly more: number;
}

export interface WaitingMessage {
  readonly execution: Execution;
  readonly message: Message;
}

export interface ExecutionStoreOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly resultsKeepMs: number;
}

/** SHA-256 in hex: what is kept of a token. */
export function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function createExecutionStore(options: ExecutionStoreOptions): ExecutionStore {
  const { redis } = options;
  const keys = createKeys(options.prefix);
  const run = createRunScript(redis);

  async function fieldsOf(actor: ActorRef, executionId: string): Promise<Fields | undefined> {
    const answer = await redis.hgetallBuffer(keys.of(actor).execution(executionId)).catch(throwRedisError);
    const fields = new Map(Object.entries(answer));
    return fields.has('state') ? fields : undefined;
  }

  async function listed(actor: ActorRef, executionId: string): Promise<Execution | undefined> {
    const values = await redis
      .hmgetBuffer(keys.of(actor).execution(executionId), ...listedFields)
      .catch(throwRedisError);
    if (!values[0]) return undefined;
    const pairs = listedFields.flatMap((field, index) => (values[index] ? [field, values[index]] : []));
    return readExecution(actor.tenant, actor.actorId, executionId, readFields(pairs));
  }

  return {
    ...createResultBlobs(options),
    get: listed,

    async list(actor, most) {
      const of = keys.of(actor);
      const [depth, waiting, held, owed] = await Promise.all([
        redis.zcard(of.mailbox),
        redis.zrange(of.mailbox, String(-most), '-1'),
        redis.zrange(of.held, '0', '-1'),
        redis.zrange(of.outbox, '0', '-1'),
      ]).catch(throwRedisError);
      const ended = owed.filter((entry) => entry.startsWith('x:')).map((entry) => entry.slice(2));
      const ids = new Set([...ended, ...held, ...waiting]);
      const executions = await Promise.all([...ids].map((id) => listed(actor, id)));
      const found = executions.filter((execution) => execution !== undefined).sort(byArrival);
      // Of those that wait, some older ones are here too: the history is owed the news of them.
      const seen = found.filter(({ state }) => state === 'submitted').length;
      return { executions: found, more: Math.max(0, depth - seen) };
    },

    async waiting(actor, most) {
      // Up to -1 would be all.
      if (most < 1) return [];
      const ids = await redis.zrange(keys.of(actor).mailbox, '0', String(most - 1)).catch(throwRedisError);
      const found = await Promise.all(ids.map(async (id) => [id, await fieldsOf(actor, id)] as const));
      return found.flatMap(([id, fields]) => {
        const execution = fields && readExecution(actor.tenant, actor.actorId, id, fields);
        // One that was taken, or purged, between the two looks does not wait any more.
        return fields && execution?.state === 'submitted' ? [{ execution, message: readMessage(fields) }] : [];
      });
    },

    async log(actor, executionId) {
      const fields = await fieldsOf(actor, executionId);
      return fields && readLog(fields);
    },

    async takeResult(actor, executionId) {
      const of = keys.of(actor);
      const answer = await run(
        'take-result',
        [of.results(executionId), of.resultsRead(executionId)],
        [options.resultsKeepMs],
      );
      return answer instanceof Buffer ? readBody(answer) : undefined;
    },

    async authenticate(actor, executionId, secret) {
      const fields = await fieldsOf(actor, executionId);
      if (!fields || isFinal(readExecution(actor.tenant, actor.actorId, executionId, fields).state)) return false;
      const given = Buffer.from(hashToken(secret));
      const known = (fields.get('tokens')?.toString() ?? '').split(' ').map((hash) => Buffer.from(hash));
      return known.some((hash) => hash.length === given.length && timingSafeEqual(hash, given));
    },

    async ended(actor, executionId) {
      const of = keys.of(actor);
      const fields = await fieldsOf(actor, executionId);
      if (!fields) return undefined;
      const results = await redis.lrangeBuffer(of.results(executionId), 0, -1).catch(throwRedisError);
      const { body } = readMessage(fields);
      const bodies = results.map(readBody);
      const count = Number(fields.get('results') ?? 0);
      // Of those whose time has passed already, nobody can say what they were.
      const mayBeBlobs = bodies.length < count || bodies.some((result) => 'blob' in result);
      return {
        ended: {
          execution: readExecution(actor.tenant, actor.actorId, executionId, fields),
          log: readLog(fields) ?? { body: { inline: new Uint8Array() }, truncated: false },
          results: bodies,
        },
        ...('blob' in body ? { messageBlob: body.blob } : {}),
        ...(mayBeBlobs ? { resultBlobs: count } : {}),
      };
    },
  };
}
