/** Results of an execution, one at a time (contract §7.10). */

import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Body } from '../../executions/execution.ts';
import { isId } from '../../lib/ids.ts';
import { findActor, refOf } from '../find-actor.ts';
import { errors, executionParams } from '../schemas/common.ts';
import type { Services } from '../services.ts';

export async function resultRoutes(app: FastifyInstance): Promise<void> {
  app.get('/actors/:actor_id/executions/:execution_id/results', {
    schema: {
      tags: ['Results'],
      operationId: 'takeResult',
      summary: 'Take the next result',
      description:
        'The oldest result that was not read yet, which reading takes away. Empty when there is none (any more).',
      params: executionParams,
      response: {
        200: {
          description: 'One result as it was sent, or nothing.',
          content: { 'application/octet-stream': { schema: Type.String({ format: 'binary' }) } },
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
  return sendResult(reply, blobs, takes ? await executions.takeResult(refOf(actor), executionId) : undefined);
}

/** Bytes as they were sent, without an envelope. */
export function sendResult(reply: FastifyReply, blobs: Services['blobs'], result: Body | undefined): FastifyReply {
  void reply.type('application/octet-stream');
  if (!result) return reply.send(Buffer.alloc(0));
  if ('inline' in result) return reply.send(Buffer.from(result.inline));
  return reply.header('content-length', result.bytes).send(Readable.from(blobs.open(result.blob)));
}
