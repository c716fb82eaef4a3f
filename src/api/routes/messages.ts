/** The mailbox of an actor: how full it is and of what, send, purge (contract §§7.6, 7.7). */

import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../../actors/actor.ts';
import { isAdmin } from '../../auth/roles.ts';
import { ConflictError, InvalidError, type ServiceError, UnavailableError } from '../../errors.ts';
import { optional } from '../../lib/optional.ts';
import type { ActorRef } from '../../mailbox/keys.ts';
import type { IdempotencyRef, PostOutcome } from '../../mailbox/posting.ts';
import {
  type AcceptedMessage,
  acceptMessage,
  invalidParameter,
  maySteer,
  readEnvironment,
} from '../accepted-message.ts';
import { purge } from '../actor-deletion.ts';
import { readLogText } from '../execution-reader.ts';
import { actorRefOf, findActor, findShared, type PermittedActor, refOf, verbHere } from '../find-actor.ts';
import { readIdempotencyKey, replayedHeader } from '../idempotency.ts';
import { isBinary, isMessagePost, readWithin, structuredBodyBytes } from '../plugins/limits.ts';
import { postRefusal, type RefusedPost } from '../post-refusal.ts';
import { messageRouteSchemas } from '../schemas/message.ts';
import { sendInRoom } from '../send-in-room.ts';
import { steeringProblem } from '../steering-variables.ts';
import { linksOf, spelled, success, tellCreated } from '../success.ts';
import { waitForAnswer } from '../synchronous-answer.ts';
import { readCount, showWaiting } from '../waiting-messages.ts';
import { defaultMessage, type Envelope, errorEnvelope } from '../wire.ts';
import { sendResult } from './results.ts';

export async function messageRoutes(app: FastifyInstance): Promise<void> {
  app.addContentTypeParser('application/octet-stream', readBinary);

  app.get('/actors/:actor_id/messages', { schema: messageRouteSchemas.count, handler: countMessages });
  app.post('/actors/:actor_id/messages', { schema: messageRouteSchemas.send, handler: sendMessage });
  app.delete('/actors/:actor_id/messages', { schema: messageRouteSchemas.purge, handler: purgeMessages });
}

/** Bytes of a message are handed on as they come; anywhere else they are a body like any other. */
async function readBinary(request: FastifyRequest, payload: Readable): Promise<Readable | Buffer> {
  if (!isMessagePost(request) || !isBinary(request)) return await readWithin(request, payload, structuredBodyBytes);
  if (request.headers['content-length'] !== undefined) return payload;
  throw new InvalidError('request.invalid', 'Content Length required for application/octet-stream.');
}

async function countMessages(request: FastifyRequest): Promise<Envelope> {
  const actor = await findActor(request);
  const { services } = request.server;
  const count = readCount(request);
  const messages = await services.mailbox.depth(refOf(actor));
  const found = count === undefined ? undefined : await services.executions.waiting(refOf(actor), count);
  const shown = found && (await showWaiting(found, services.blobs));
  const waiting = shown?.map((one) => spelled(request, one));
  return success(request, defaultMessage, {
    messages,
    ...optional('waiting', waiting),
    _links: mailboxLinks(request, actor),
  });
}

async function purgeMessages(request: FastifyRequest): Promise<Envelope> {
  const actor = await findActor(request);
  await purge(request.server.services.mailbox, refOf(actor));
  return success(request, defaultMessage, { msg: 'Actor mailbox purged.', _links: mailboxLinks(request, actor) });
}

function mailboxLinks(request: FastifyRequest, { id, owner }: Actor): Readonly<Record<string, string>> {
  const links = linksOf(request);
  return { self: links.messages(id), owner: links.profile(owner) };
}

async function sendMessage(request: FastifyRequest, reply: FastifyReply): Promise<Envelope | FastifyReply> {
  const { services } = request.server;
  const links = linksOf(request);
  if (services.health.draining) throw draining();
  const sending = { ...optional('idempotency', idempotencyOf(request)), synchronous: isSynchronous(request) };
  const { synchronous } = sending;
  using _ = synchronous ? request.server.streams.open(request.caller) : undefined;
  const actor = await actorRefOf(request);
  const { accepted, kind, executionId, owner } = await sendInRoom(services, actor, [sending], async (refusalOf) => {
    const refusal = refusalOf(sending);
    if (refusal) await refuseForRoom(request, actor, refusal);
    const message = await accept(request, actor);
    const outcome = await post(request, actor, message, sending);
    return { result: { accepted: message, ...outcome }, posted: outcome.kind === 'posted' ? 1 : 0 };
  });
  if (kind === 'replayed') void reply.header(replayedHeader, 'true');
  if (synchronous) return await answerSynchronously(request, reply, actor, executionId);
  if (kind === 'posted') tellCreated(request, reply, links.execution(actor.actorId, executionId));
  const result = {
    _links: {
      messages: links.messages(actor.actorId),
      owner: links.profile(owner),
      self: links.execution(actor.actorId, executionId),
    },
    execution_id: executionId,
    msg: accepted.echo,
  };
  return success(request, defaultMessage, spelled(request, result));
}

interface Sending {
  readonly idempotency?: IdempotencyRef;
  readonly synchronous: boolean;
}

function idempotencyOf(request: FastifyRequest): IdempotencyRef | undefined {
  const key = readIdempotencyKey(request);
  return key === undefined ? undefined : { key, caller: `${request.caller.tenant}/${request.caller.user}` };
}

/** Who may not send here is told that, and nothing of its owner's messages. */
async function refuseForRoom(request: FastifyRequest, actor: ActorRef, refusal: ServiceError): Promise<never> {
  await findShared(request, actor, verbHere(request));
  throw refusal;
}

/** The post itself meets an unknown actor; it is looked up only before a body is kept, and where it excuses a refusal. */
async function accept(request: FastifyRequest, actor: ActorRef): Promise<AcceptedMessage> {
  const check = async (): Promise<PermittedActor> => await findShared(request, actor, verbHere(request));
  if (request.body instanceof Readable) await check();
  const accepting = async (): Promise<AcceptedMessage> => {
    const problem = steeringProblem(Object.keys(readEnvironment(request)));
    if (problem !== undefined && !maySteer(request, (await check()).permission)) throw invalidParameter(problem);
    return await acceptMessage(request, request.server.services);
  };
  return await accepting().catch(async (thrown: unknown) => {
    await check();
    throw thrown;
  });
}

type Posted = Extract<PostOutcome, { readonly executionId: string }>;

/** A body kept for a message that was not taken is thrown away; where the outcome is unknown it stays. */
async function post(
  request: FastifyRequest,
  actor: ActorRef,
  { message, digest }: AcceptedMessage,
  { idempotency, synchronous }: Sending,
): Promise<Posted> {
  const { mailbox, blobs, ids } = request.server.services;
  const user = isAdmin(request.caller.roles) ? {} : { user: request.caller.user };
  const named = optional('idempotency', idempotency && { ...idempotency, digest });
  const most = synchronous ? { mostWaiting: mostBeforeSynchronous } : {};
  const outcome = await mailbox.post(actor, { executionId: ids.next(), message, ...user, ...named, ...most });
  if (outcome.kind !== 'posted' && 'blob' in message.body) await blobs.remove(message.body.blob);
  if ('executionId' in outcome) return outcome;
  if (synchronous && outcome.kind === 'full') throw notNextInLine();
  return await refuse(request, actor, outcome.kind);
}

/** Nobody can wait for an answer behind many others (contract §7.7, in its words). */
const mostBeforeSynchronous = 3;

function notNextInLine(): ConflictError {
  return new ConflictError('mailbox.busy', 'Cannot issue synchronous execution when actor message queue > 0.');
}

/** An actor that is not there any more is told as such. */
async function refuse(request: FastifyRequest, actor: ActorRef, kind: RefusedPost): Promise<never> {
  if (kind === 'gone') await findShared(request, actor, verbHere(request));
  throw postRefusal(kind, actor.actorId, request.server.services.config.messages.maxWaiting);
}

function isSynchronous(request: FastifyRequest): boolean {
  const value = (request.query as Readonly<Record<string, string | string[]>>)['_abaco_synchronous'];
  return [value].flat()[0]?.toLowerCase() === 'true';
}

async function answerSynchronously(
  request: FastifyRequest,
  reply: FastifyReply,
  actor: ActorRef,
  executionId: string,
): Promise<FastifyReply> {
  const { services, closing } = request.server;
  const links = linksOf(request);
  const timeoutMs = services.config.limits.syncWaitMs;
  const signal = AbortSignal.any([closing, hangUpSignal(reply)]);
  const wait = waitForAnswer(services, actor, executionId, { timeoutMs, signal });
  const answer = await wait.catch((thrown: unknown) => {
    throw closing.aborted ? draining() : thrown;
  });
  // The body is the contract's and has no room for it.
  void reply.header('location', links.execution(actor.actorId, executionId));
  if (answer.kind === 'result') return sendResult(reply, services.blobs, answer.result);
  if (answer.kind === 'ended') return sendLog(reply, await readLogText(services, answer.execution));
  const late = `Execution "${executionId}" has not ended within ${timeoutMs} ms; it goes on, ask for its results later`;
  return reply.code(504).type('application/json').send(errorEnvelope(late, services.config.service.tag));
}

/** The contract's type of a log; sandboxed, since what programs write is nobody's page of ours. */
function sendLog(reply: FastifyReply, log: string): FastifyReply {
  void reply.header('content-security-policy', 'sandbox').header('x-content-type-options', 'nosniff');
  return reply.type('text/html; charset=utf-8').send(log);
}

export function draining(): UnavailableError {
  return new UnavailableError('service.draining', 'The service is stopping and takes no new messages');
}

/** Aborts when the client is gone before it was answered. */
function hangUpSignal({ raw }: FastifyReply): AbortSignal {
  const hangUp = new AbortController();
  raw.once('close', () => hangUp.abort());
  return hangUp.signal;
}
