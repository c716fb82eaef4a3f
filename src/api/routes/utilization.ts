/** How much there is of everything, over all tenants (contract §7.14). */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { envelope, errors } from '../schemas/common.ts';
import { success } from '../success.ts';
import type { Envelope } from '../wire.ts';

const returned = 'Abaco utilization returned successfully.';

/** Names that are the same in either spelling. */
const utilization = Type.Object(
  {
    currentActors: Type.Integer({ description: 'Actors there are.' }),
    totalActors: Type.Integer({ description: 'Actors that were ever registered.' }),
    workers: Type.Integer({ description: 'Workers there are.' }),
    commandQueue: Type.Integer({
      description:
        'Requests for workers that wait. Supervisors start workers without a queue between, so there are none.',
    }),
  },
  { examples: [{ currentActors: 4, totalActors: 9, workers: 1, commandQueue: 0 }] },
);

export async function utilizationRoutes(app: FastifyInstance): Promise<void> {
  app.get('/actors/utilization', {
    schema: {
      tags: ['Search'],
      operationId: 'getUtilization',
      summary: 'Count what there is',
      description: 'Numbers over all tenants, for everyone.',
      response: { 200: envelope(utilization, returned), ...errors() },
    },
    handler: getUtilization,
  });
}

async function getUtilization(request: FastifyRequest): Promise<Envelope> {
  const { actors, workers } = request.server.services;
  const [{ current, total }, running] = await Promise.all([actors.count(), workers.count()]);
  return success(request, returned, {
    currentActors: current,
    totalActors: total,
    workers: running,
    commandQueue: 0,
  });
}
