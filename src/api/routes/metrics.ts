/** Numbers for Prometheus, without envelope (contract §7.16). Whom they are for is the operator's word. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ForbiddenError } from '../../errors.ts';
import { isLoopback } from '../../lib/bridge-address.ts';
import { noTokenError } from '../schemas/common.ts';

export async function metricRoutes(app: FastifyInstance): Promise<void> {
  app.get('/metrics', {
    schema: {
      tags: ['Health'],
      operationId: 'getMetrics',
      summary: 'Numbers for Prometheus',
      description:
        'Waiting messages and workers of each actor, ended executions, and the process itself. By default for this host alone.',
      security: [],
      response: {
        200: {
          description: 'In the text format of Prometheus.',
          content: { 'text/plain': { schema: Type.String({ description: 'One number a line.' }) } },
        },
        ...noTokenError,
      },
    },
    handler: getMetrics,
  });
}

async function getMetrics(request: FastifyRequest, reply: FastifyReply): Promise<string> {
  const { config, metrics } = request.server.services;
  const { openTo } = config.metrics;
  if (openTo === 'nobody' || (openTo === 'loopback' && !isLoopback(request.ip.replace(/^::ffff:/, '')))) {
    throw new ForbiddenError('request.forbidden', 'Metrics are not for this address; metrics.open_to says for whom');
  }
  void reply.type(metrics.contentType);
  return await metrics.render();
}
