/** How messages get into a mailbox: one that somebody sends, and one that an event or a schedule caused. */

import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Message } from '../executions/execution.ts';
import { writeMessage } from '../executions/execution-record.ts';
import { throwRedisError } from '../storage/redis.ts';
import { type ActorRef, createKeys, newsChannel } from './keys.ts';
import { type RunScript, words } from './scripts.ts';

/** What a caller named a message by, so that it is taken once. */
export interface IdempotencyRef {
  readonly key: string;
  readonly caller: string;
}

/** One message that somebody sends. */
export interface PostRequest {
  readonly executionId: string;
  readonly message: Message;
  /** `digest` is of all that makes two requests the same: body, content type, query. */
  readonly idempotency?: IdempotencyRef & { readonly digest: string };
}

export interface PostRules {
  /** Who needs to have EXECUTE on the actor; none given is anybody. */
  readonly user?: string;
  /** Messages that may wait before it, where that is fewer than all may. */
  readonly mostWaiting?: number;
}

/** A message that nobody sent. */
export interface CausedPost {
  readonly executionId: string;
  /** Its body is inline: such messages are small. */
  readonly message: Message & { readonly body: { readonly inline: Uint8Array } };
  /** The same name with the same number, or a lower one, is the same message again. */
  readonly cause: { readonly name: string; readonly number: number };
  /** Ids of the actors whose events led to it, the first one first. */
  readonly via: readonly string[];
}

export type PostOutcome =
  | { readonly kind: 'posted' | 'replayed'; readonly executionId: string; readonly owner: string }
  | { readonly kind: 'conflict' | 'gone' | 'forbidden' | 'full' | 'used-id' };

export type ManyOutcome =
  | { readonly kind: 'posted' | 'replayed'; readonly executionId: string }
  | Exclude<PostOutcome, { readonly executionId: string }>;

export interface Posting {
  post(actor: ActorRef, request: PostRequest & PostRules): Promise<PostOutcome>;
  /** Each as `post` would, in this order, in one step of Redis: give no more at once than may hold it up. */
  postMany(
    actor: ActorRef,
    requests: readonly PostRequest[],
    rules: Pick<PostRules, 'user'>,
  ): Promise<readonly ManyOutcome[]>;
  /** The keys of these under which the actor has taken a message. */
  usedKeys(actor: ActorRef, idempotencies: readonly IdempotencyRef[]): Promise<ReadonlySet<string>>;
  /** Stores the message once, however often it is told. `repeated` when it was stored before. */
  postCaused(actor: ActorRef, request: CausedPost): Promise<'posted' | 'repeated' | 'gone' | 'full' | 'used-id'>;
}

export interface PostingOptions {
  readonly redis: Redis;
  readonly run: RunScript;
  readonly prefix: string;
  /** Messages that may wait in one mailbox; 0 is no limit. */
  readonly maxWaiting: number;
}

export function createPosting(options: PostingOptions): Posting {
  const { redis, run, prefix } = options;
  const keys = createKeys(prefix);
  const channel = (actor: ActorRef): string => newsChannel(prefix, actor);

  /** As many as may wait when it comes; 0 is any number. */
  const roomFor = (mostBefore: number | undefined): number => {
    const { maxWaiting } = options;
    if (mostBefore === undefined) return maxWaiting;
    return maxWaiting === 0 ? mostBefore + 1 : Math.min(maxWaiting, mostBefore + 1);
  };

  return {
    async post(actor, request) {
      const of = keys.of(actor);
      const { idempotency } = request;
      const message = writeMessage(request.message);
      const [kind, id, owner = ''] = words(
        await run(
          'post',
          [
            of.actor,
            of.mailbox,
            of.execution(request.executionId),
            of.idempotency(idempotencyName(idempotency)),
            of.permissions,
            of.outbox,
          ],
          [
            channel(actor),
            request.executionId,
            message.meta,
            message.body,
            message.blob,
            idempotency?.digest ?? '',
            roomFor(request.mostWaiting),
            request.user ?? '',
          ],
        ),
      );
      if (kind === 'posted' || kind === 'replayed') return { kind, executionId: id ?? request.executionId, owner };
      return { kind: kind as 'conflict' | 'gone' | 'full' | 'used-id' };
    },

    async postMany(actor, requests, { user = '' }) {
      const of = keys.of(actor);
      const messages = requests.flatMap(({ executionId, message, idempotency }) => {
        const { meta, body, blob } = writeMessage(message);
        return [executionId, meta, body, blob, idempotency?.digest ?? '', idempotencyName(idempotency)];
      });
      const answer = await run(
        'post-many',
        [of.actor, of.mailbox, of.executions, of.idempotency(''), of.permissions, of.outbox],
        [channel(actor), options.maxWaiting, user, ...messages],
      );
      return words(answer).map((word, index) => readOutcome(word, requests[index]?.executionId ?? ''));
    },

    async usedKeys(actor, idempotencies) {
      const of = keys.of(actor);
      const names = idempotencies.map((one) => of.idempotency(idempotencyName(one)));
      const there = await Promise.all(names.map((name) => redis.exists(name))).catch(throwRedisError);
      return new Set(idempotencies.filter((_, index) => there[index] === 1).map(({ key }) => key));
    },

    async postCaused(actor, { executionId, message, cause, via }) {
      const of = keys.of(actor);
      const { meta, body } = writeMessage(message);
      const answer = await run(
        'post-caused',
        [of.actor, of.mailbox, of.execution(executionId), of.causes, of.outbox],
        [channel(actor), executionId, meta, body, cause.name, cause.number, via.join(' '), options.maxWaiting],
      );
      return String(answer) as 'posted' | 'repeated' | 'gone' | 'full' | 'used-id';
    },
  };
}

function readOutcome(word: string, ownId: string): ManyOutcome {
  const [kind, firstId = ownId] = word.split(' ');
  if (kind === 'posted' || kind === 'replayed') return { kind, executionId: firstId };
  return { kind: kind as 'conflict' | 'gone' | 'forbidden' | 'full' | 'used-id' };
}

/** One name for caller and key, of a fixed length and without the characters of either. */
function idempotencyName(idempotency: IdempotencyRef | undefined): string {
  if (!idempotency) return '';
  return createHash('sha256')
    .update(JSON.stringify([idempotency.caller, idempotency.key]))
    .digest('hex');
}
