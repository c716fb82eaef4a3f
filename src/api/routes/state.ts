/** The state of an actor (contract §7.5): read, and replace as a whole. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ConflictError, InvalidError } from '../../errors.ts';
import { renderValue } from '../../executions/value-text.ts';
import { optional } from '../../lib/optional.ts';
import { hasSeen, readIfMatch, staleVersion, stateTag } from '../entity-tags.ts';
import { findActor, refOf, unknownActor } from '../find-actor.ts';
import { bodyOf, isJson, mediaTypeOf, parseJson } from '../request-body.ts';
import { isTruthy } from '../request-fields.ts';
import { actorRef } from '../schemas/actor.ts';
import { actorParams, envelope, errors, ifMatch, ifNoneMatch, notModified } from '../schemas/common.ts';
import { success } from '../success.ts';
import { variableProblem } from '../variable-problem.ts';
import type { Envelope } from '../wire.ts';
import { showActor } from './actors.ts';

const tags = ['State'];

const messages = { get: 'Actor state retrieved successfully.', set: 'State updated successfully.' };

const stateValue = Type.Unknown({ description: 'Any JSON value.' });

export async function stateRoutes(app: FastifyInstance): Promise<void> {
  app.get('/actors/:actor_id/state', {
    schema: {
      tags,
      operationId: 'getState',
      summary: 'Read the state',
      description:
        'The state as it was last set; {} at first and for stateless actors. The ETag is its version, a number.',
      params: actorParams,
      headers: ifNoneMatch,
      response: {
        200: envelope(Type.Object({ state: stateValue }), messages.get),
        304: notModified,
        ...errors(),
      },
    },
    handler: getState,
  });
  app.post('/actors/:actor_id/state', {
    schema: {
      tags,
      operationId: 'setState',
      summary: 'Replace the state',
      description:
        'The whole body is the new state, any JSON value that Python counts as true. With the token of an execution ' +
        'only while that execution has not ended. Stateless actors answer 404. With If-Match it is a compare and set; the ETag of the answer is the new version.',
      params: actorParams,
      headers: ifMatch,
      body: { content: { 'application/json': { schema: stateValue } } },
      response: { 200: envelope(actorRef, messages.set), ...errors(412) },
    },
    handler: setState,
  });
}

async function getState(request: FastifyRequest, reply: FastifyReply): Promise<Envelope | FastifyReply> {
  const actor = await findActor(request);
  // Read before the state: one that is written meanwhile is shown under the older version, which nobody can write over.
  if (hasSeen(request, reply, stateTag(actor.stateVersion))) return reply.code(304).send();
  const state = actor.stateless ? {} : await request.server.services.actors.state(refOf(actor));
  return success(request, messages.get, { state });
}

async function setState(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const actor = await findActor(request);
  if (actor.stateless) throwStateless();
  const stateJson = readState(request);
  const { execution } = request.caller;
  const own = execution?.actorId === actor.id ? execution.executionId : undefined;
  const outcome = await request.server.services.actors.setState(refOf(actor), stateJson, {
    ...optional('executionId', own),
    ...optional('versions', readIfMatch(request)),
  });
  if (outcome === 'stale') throw staleVersion(`State of actor "${actor.id}"`);
  if (outcome === 'stateless') throwStateless();
  if (outcome === 'gone') throw unknownActor(request.caller, 'update', actor.id);
  if (outcome === 'ended') {
    throw new ConflictError('execution.ended', `State of execution "${own}" is refused: the execution has ended`);
  }
  void reply.header('etag', stateTag(outcome));
  return success(request, messages.set, await showActor(request, actor));
}

/** As it was sent: parsing loses the digits of numbers, and the order of keys that look like some. */
function readState(request: FastifyRequest): string {
  const mediaType = mediaTypeOf(request.headers['content-type']);
  const body = bodyOf(request);
  if (body.length > 0 && !isJson(mediaType)) {
    throw new InvalidError(
      'request.invalid',
      `${whatState}: Content-Type must be application/json, not "${mediaType}"`,
    );
  }
  const json = body.toString().trim();
  const state = json === '' ? undefined : parseJson(json, whatState);
  if (!isTruthy(state)) throw new InvalidError('request.invalid', `${whatState}: state must be JSON serializable.`);
  const problem = variableProblem(
    '_abaco_actor_state',
    renderValue(json, request.server.services.config.compat.valueText),
  );
  if (problem !== undefined) throw new InvalidError('request.invalid', `${whatState}: ${problem}`);
  return json;
}

const whatState = 'Invalid actor state description';

function throwStateless(): never {
  throw new ConflictError('actor.stateless', 'actor is stateless.');
}
