/** Many messages in one request, each as if it had been sent alone. */

import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAdmin } from '../../auth/roles.ts';
import { tenantSettings } from '../../config/tenant-settings.ts';
import { InvalidError, type ServiceError } from '../../errors.ts';
import type { Message } from '../../executions/execution.ts';
import type { ActorRef } from '../../mailbox/keys.ts';
import type { PostRequest } from '../../mailbox/posting.ts';
import { checkText, invalidParameter, keepBytes, maySteer, readEnvironment, senderOf } from '../accepted-message.ts';
import { type BatchItem, type ItemReader, readBatch } from '../batch-items.ts';
import { actorRefOf, findShared, refOf, verbHere } from '../find-actor.ts';
import { readIdempotencyKey, startDigest } from '../idempotency.ts';
import { tooLargeMessage } from '../plugins/errors.ts';
import { batchBodyBytes, batchRoute } from '../plugins/limits.ts';
import { postRefusal } from '../post-refusal.ts';
import { bodyOf, isJson, mediaTypeOf } from '../request-body.ts';
import { messageRouteSchemas } from '../schemas/message.ts';
import { sendInRoom } from '../send-in-room.ts';
import { renderSortedJson } from '../sorted-json.ts';
import { steeringProblem } from '../steering-variables.ts';
import { linksOf, spelled, success } from '../success.ts';
import { type Attributes, defaultMessage, type Envelope } from '../wire.ts';
import { draining } from './messages.ts';

/** Messages posted in one step of Redis, which serves nobody else meanwhile: some milliseconds. */
const postedAtOnce = 250;

export async function batchRoutes(app: FastifyInstance): Promise<void> {
  app.post(batchRoute, { schema: messageRouteSchemas.batch, bodyLimit: batchBodyBytes, handler: sendBatch });
}

type Sent = { readonly executionId: string; readonly replayed: boolean } | Refused;

async function sendBatch(request: FastifyRequest): Promise<Envelope> {
  if (request.server.services.health.draining) throw draining();
  const { actor, permission } = await findShared(request, await actorRefOf(request), verbHere(request));
  const readers = readBatch(jsonBody(request), request.server.services.config.compat.valueText);
  const environment = readEnvironment(request);
  const steers = maySteer(request, permission);
  const problem = steers ? undefined : steeringProblem(Object.keys(environment));
  if (problem !== undefined) throw invalidParameter(problem);
  const context = { batchKey: readIdempotencyKey(request), environment, steers };
  const readFrom = (from: number): readonly (Unkept | Refused)[] =>
    readers.slice(from, from + postedAtOnce).map((reader, index) => readOne(request, reader, from + index, context));
  const sent: Sent[] = [];
  let read = readFrom(0);
  for (let from = postedAtOnce; read.length > 0; from += postedAtOnce) {
    const [some, next] = await Promise.all([sendSome(request, refOf(actor), read), whileSent(() => readFrom(from))]);
    sent.push(...some);
    read = next;
  }
  const links = linksOf(request);
  const ids = sent.flatMap((one) => ('error' in one ? [] : one));
  const replayed = ids.filter((one) => one.replayed).length;
  const result = {
    messages: sent.map((one) => spelled(request, renderSent(one))),
    posted: ids.length - replayed,
    replayed,
    refused: sent.length - ids.length,
    _links: { self: links.messages(actor.id), owner: links.profile(actor.owner) },
  };
  return success(request, defaultMessage, spelled(request, result));
}

/** The next are read while Redis stores these, which are on their way to it two turns from now (`storage/redis.ts`). */
async function whileSent<T>(readNext: () => T): Promise<T> {
  await setImmediate();
  await setImmediate();
  return readNext();
}

function jsonBody(request: FastifyRequest): Buffer {
  const mediaType = mediaTypeOf(request.headers['content-type']);
  if (isJson(mediaType)) return bodyOf(request);
  throw new InvalidError('request.invalid', `Invalid batch: Content-Type must be application/json, not "${mediaType}"`);
}

interface Refused {
  readonly error: ServiceError;
}

/** A message whose body is kept only when it is sent. */
interface Unkept {
  readonly executionId: string;
  readonly bytes: Uint8Array;
  readonly message: Omit<Message, 'body'>;
  readonly idempotency?: NonNullable<PostRequest['idempotency']>;
}

interface BatchContext {
  readonly batchKey: string | undefined;
  /** Variables of every message. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether variables may say which code runs. */
  readonly steers: boolean;
}

function readOne(
  request: FastifyRequest,
  read: ItemReader,
  index: number,
  { batchKey, environment, steers }: BatchContext,
): Unkept | Refused {
  try {
    const item = read();
    const problem = steers ? undefined : steeringProblem(Object.keys(item.environment));
    if (problem !== undefined) throw new InvalidError('request.invalid', `Invalid batch: ${problem}`);
    const own = Object.keys(item.environment).length === 0 ? environment : { ...environment, ...item.environment };
    const { contentType, bytes } = readContent(request, item);
    const message = { contentType, environment: own, ...senderOf(request) };
    // No single request can have such a key: it has no blanks.
    const key = item.key ?? (batchKey === undefined ? undefined : `${batchKey} ${index}`);
    const executionId = request.server.services.ids.next();
    if (key === undefined) return { executionId, bytes, message };
    const caller = `${request.caller.tenant}/${request.caller.user}`;
    return { executionId, bytes, message, idempotency: { key, caller, digest: digestOf(request, item) } };
  } catch (thrown) {
    if (thrown instanceof InvalidError) return { error: thrown };
    throw thrown;
  }
}

function readContent(
  request: FastifyRequest,
  { content }: BatchItem,
): Pick<Message, 'contentType'> & { readonly bytes: Uint8Array } {
  const { config } = request.server.services;
  const { tenant } = request.caller;
  if ('binary' in content) {
    const { binary: most } = tenantSettings(config, tenant).messageBytes;
    if (content.binary.byteLength > most) {
      throw new InvalidError('request.too_large', tooLargeMessage('Message', most));
    }
    return { contentType: 'application/octet-stream', bytes: content.binary };
  }
  checkText(content, config, tenant);
  return { contentType: content.contentType, bytes: Buffer.from(content.text) };
}

/** Of all that makes two messages the same: what is sent, its variables and those of the batch. */
function digestOf(request: FastifyRequest, { content, environment }: BatchItem): string {
  const [kind, bytes] = 'binary' in content ? ['binary', content.binary] : [content.contentType, content.text];
  const what = renderSortedJson([kind, environment]);
  return startDigest(request).update(createHash('sha256').update(what).digest()).update(bytes).digest('hex');
}

/** Each in its place: what cannot be read, and what there is no room for, is refused by itself. */
async function sendSome(
  request: FastifyRequest,
  actor: ActorRef,
  read: readonly (Unkept | Refused)[],
): Promise<readonly Sent[]> {
  const { services } = request.server;
  const readable = read.flatMap((one) => ('error' in one ? [] : one));
  return await sendInRoom(services, actor, readable, async (refusalOf) => {
    const prepared = await Promise.all(
      read.map(async (one) => {
        if ('error' in one) return one;
        const error = refusalOf(one);
        return error ? { error } : await keep(request, one);
      }),
    );
    const result = await post(request, actor, prepared);
    return { result, posted: result.filter((one) => 'executionId' in one && !one.replayed).length };
  });
}

async function keep(request: FastifyRequest, { bytes, message, ...rest }: Unkept): Promise<PostRequest> {
  return { ...rest, message: { ...message, body: await keepBytes(bytes, request.server.services) } };
}

/** A body kept for a message that was not taken is thrown away. */
async function post(
  request: FastifyRequest,
  actor: ActorRef,
  prepared: readonly (PostRequest | Refused)[],
): Promise<readonly Sent[]> {
  const { mailbox, blobs, config } = request.server.services;
  const { caller } = request;
  const requests = prepared.flatMap((one) => ('error' in one ? [] : one));
  const user = isAdmin(caller.roles) ? {} : { user: caller.user };
  const outcomes = requests.length === 0 ? [] : await mailbox.postMany(actor, requests, user);
  let next = 0;
  const sent: Sent[] = [];
  for (const one of prepared) {
    if ('error' in one) {
      sent.push(one);
      continue;
    }
    const outcome = outcomes[(next += 1) - 1];
    if (!outcome) throw new Error(`Redis answered ${outcomes.length} messages of ${requests.length}`);
    if (outcome.kind !== 'posted' && 'blob' in one.message.body) await blobs.remove(one.message.body.blob);
    if ('executionId' in outcome) {
      sent.push({ executionId: outcome.executionId, replayed: outcome.kind === 'replayed' });
    } else {
      sent.push({ error: postRefusal(outcome.kind, actor.actorId, config.messages.maxWaiting) });
    }
  }
  return sent;
}

function renderSent(sent: Sent): Attributes {
  if ('error' in sent) return { error: { code: sent.error.code, message: sent.error.message } };
  return { execution_id: sent.executionId, ...(sent.replayed ? { replayed: true } : {}) };
}
