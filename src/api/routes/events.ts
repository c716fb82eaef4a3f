/** The progress of one execution as server-sent events; ours, beyond the contract. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { eventContent, sendEvents } from '../event-stream.ts';
import { findExecution } from '../execution-reader.ts';
import { findActor, refOf } from '../find-actor.ts';
import { followProgress } from '../follow-progress.ts';
import { errors, executionParams, reference } from '../schemas/common.ts';
import { progress } from '../schemas/execution.ts';

export async function eventRoutes(app: FastifyInstance): Promise<void> {
  app.addSchema(progress);

  app.get('/actors/:actor_id/executions/:execution_id/events', {
    schema: {
      tags: ['Executions'],
      operationId: 'followExecution',
      summary: 'Follow an execution',
      description:
        'Server-sent events: "status" with how far the execution is, at once and at every change (also of what it ' +
        'waits for), then one "end". The data of each is a Progress as JSON.',
      params: executionParams,
      response: {
        200: { description: 'Events until the end.', content: eventContent(reference('Progress')) },
        ...errors(),
      },
    },
    handler: getEvents,
  });
}

async function getEvents(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const execution = await findExecution(request, refOf(await findActor(request)));
  const { services } = request.server;
  return sendEvents(request, reply, (signal) => followProgress(services, execution, signal));
}
