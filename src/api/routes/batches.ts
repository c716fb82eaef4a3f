/** Many messages in one request, each as if it had been sent alone. */

import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAdmin } from '../../auth/roles.ts';
import { InvalidError, type ServiceError } from '../../errors.ts';
import type { Message } from '../../executions/execution.ts';
import type { ActorRef } from '../../mailbox/keys.ts';
import type { PostRequest } from '../../mailbox/posting.ts';
import { checkText, keepBytes, readEnvironment, senderOf } from '../accepted-message.ts';
import { type BatchItem, type ItemReader, readBatch } from '../batch-items.ts';
import { findActor, refOf } from '../find-actor.ts';
import { readIdempotencyKey, startDigest } from '../idempotency.ts';
import { tooLargeMessage } from '../plugins/errors.ts';
import { batchBodyBytes, batchRoute } from '../plugins/limits.ts';
import { postRefusal } from '../post-refusal.ts';
import { bodyOf, isJson, mediaTypeOf } from '../request-body.ts';
import { messageRouteSchemas } from '../schemas/message.ts';
import { renderSortedJson } from '../sorted-json.ts';
import { linksOf, spelled, success } from '../success.ts';
import { type Attributes, defaultMessage, type Envelope } from '../wire.ts';
import { draining } from './messages.ts';

/** Messages posted in one step of Redis, which serves nobody else meanwhile: some milliseconds. */
const postedAtOnce = 250;

export async function batchRoutes(app: FastifyInstance): Promise<void> {
  app.post(batchRoute, { schema: messageRouteSchemas.batch, bodyLimit: batchBodyBytes, handler: sendBatch });
}

type Sent = { readonly executionId: string; readonly replayed: boolean } | { readonly error: ServiceError };

async function sendBatch(request: FastifyRequest): Promise<Envelope> {
  if (request.server.services.health.draining) throw draining();
  const actor = await findActor(request);
  const readers = readBatch(jsonBody(request));
  const context = { batchKey: readIdempotencyKey(request), environment: readEnvironment(request) };
  const sent: Sent[] = [];
  for (let from = 0; from < readers.length; from += postedAtOnce) {
    const some = readers.slice(from, from + postedAtOnce);
    const prepared = await Promise.all(some.map((read, index) => prepare(request, read, from + index, context)));
    sent.push(...(await post(request, refOf(actor), prepared)));
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

function jsonBody(request: FastifyRequest): Buffer {
  const mediaType = mediaTypeOf(request.headers['content-type']);
  if (isJson(mediaType)) return bodyOf(request);
  throw new InvalidError('request.invalid', `Invalid batch: Content-Type must be application/json, not "${mediaType}"`);
}

type Prepared = PostRequest | { readonly error: ServiceError };

interface BatchContext {
  readonly batchKey: string | undefined;
  /** Variables of every message. */
  readonly environment: Readonly<Record<string, string>>;
}

async function prepare(
  request: FastifyRequest,
  read: ItemReader,
  index: number,
  { batchKey, environment }: BatchContext,
): Promise<Prepared> {
  try {
    const item = read();
    const own = Object.keys(item.environment).length === 0 ? environment : { ...environment, ...item.environment };
    const message: Message = { ...(await readMessage(request, item)), environment: own, ...senderOf(request) };
    // No single request can have such a key: it has no blanks.
    const key = item.key ?? (batchKey === undefined ? undefined : `${batchKey} ${index}`);
    const executionId = request.server.services.ids.next();
    if (key === undefined) return { executionId, message };
    const caller = `${request.caller.tenant}/${request.caller.user}`;
    return { executionId, message, idempotency: { key, caller, digest: digestOf(request, item) } };
  } catch (thrown) {
    if (thrown instanceof InvalidError) return { error: thrown };
    throw thrown;
  }
}

async function readMessage(
  request: FastifyRequest,
  { content }: BatchItem,
): Promise<Pick<Message, 'contentType' | 'body'>> {
  const { services } = request.server;
  const { maxBytes, maxTextBytes } = services.config.messages;
  if ('binary' in content) {
    if (content.binary.byteLength > maxBytes) {
      throw new InvalidError('request.too_large', tooLargeMessage('Message', maxBytes));
    }
    return { contentType: 'application/octet-stream', body: await keepBytes(content.binary, services) };
  }
  checkText(content, maxTextBytes);
  return { contentType: content.contentType, body: await keepBytes(Buffer.from(content.text), services) };
}

/** Of all that makes two messages the same: what is sent, its variables and those of the batch. */
function digestOf(request: FastifyRequest, { content, environment }: BatchItem): string {
  const [kind, bytes] = 'binary' in content ? ['binary', content.binary] : [content.contentType, content.text];
  const what = renderSortedJson([kind, environment]);
  return startDigest(request).update(createHash('sha256').update(what).digest()).update(bytes).digest('hex');
}

/** A body kept for a message that was not taken is thrown away. */
async function post(request: FastifyRequest, actor: ActorRef, prepared: readonly Prepared[]): Promise<Sent[]> {
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
