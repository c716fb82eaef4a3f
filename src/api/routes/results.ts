/** Results of an execution: one at a time (contract §7.10), or all there are now. */

import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Body } from '../../executions/execution.ts';
import { isId } from '../../lib/ids.ts';
import { findActor, refOf } from '../find-actor.ts';
import { writeMultipart } from '../multipart.ts';
import { queryOf } from '../request-body.ts';
import { errors, executionParams } from '../schemas/common.ts';
import type { Services } from '../services.ts';

export async function resultRoutes(app: FastifyInstance): Promise<void> {
  app.get('/actors/:actor_id/executions/:execution_id/results', {
    schema: {
      tags: ['Results'],
      operationId: 'takeResult',
      summary: 'Take the next result',
      description:
        'The oldest result that was not read yet, which reading takes away. Empty when there is none (any more). With ' +
        '`all=true` all there are now, 1000 at most, each as a part of its own; what comes later is for the next request.',
      params: executionParams,
      querystring: Type.Object({
        all: Type.Optional(Type.String({ description: '"true" takes all there are now.' })),
      }),
      response: {
        200: {
          description: 'One result as it was sent, or nothing; or the parts, in the order sent.',
          content: {
            'application/octet-stream': { schema: Type.String({ format: 'binary' }) },
            'multipart/mixed': { schema: Type.String({ format: 'binary' }) },
          },
        },
        ...errors(),
      },
    },
    handler: takeResult,
  });
}

async function takeResult(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const actor = await findActor(request);
  const { execution_id: executionId } = request.params as { readonly execution_id: string };
  const { executions, blobs } = request.server.services;
  // HEAD only looks, so it takes nothing away.
  const takes = request.method === 'GET' && isId(executionId);
  const take = async (): Promise<Body | undefined> =>
    takes ? await executions.takeResult(refOf(actor), executionId) : undefined;
  if (wantsAll(request)) {
    const { contentType, content } = writeMultipart(takeAll(await take(), take), blobs);
    return reply.type(contentType).send(Readable.from(content));
  }
  return sendResult(reply, blobs, await take());
}

/** Most results of one answer, so that it ends though results come as fast as they are taken. */
const mostTaken = 1_000;

/** One by one, so that what a client did not stay for is still there. */
async function* takeAll(first: Body | undefined, take: () => Promise<Body | undefined>): AsyncIterable<Body> {
  let result = first;
  for (let taken = 1; result; taken += 1) {
    yield result;
    result = taken < mostTaken ? await take() : undefined;
  }
}

function wantsAll(request: FastifyRequest): boolean {
  return queryOf(request).get('all')?.[0]?.toLowerCase() === 'true';
}

/** Bytes as they were sent, without an envelope. */
export function sendResult(reply: FastifyReply, blobs: Services['blobs'], result: Body | undefined): FastifyReply {
  void reply.type('application/octet-stream');
  if (!result) return reply.send(Buffer.alloc(0));
  if ('inline' in result) return reply.send(Buffer.from(result.inline));
  return reply.header('content-length', result.bytes).send(Readable.from(blobs.open(result.blob)));
}
