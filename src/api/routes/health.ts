/** Whether this process lives, and whether it can serve; without the envelope, for load balancers. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { noTokenError } from '../schemas/common.ts';

const tags = ['Health'];

const check = Type.Object({
  ok: Type.Boolean({ description: 'Whether all is well with it.' }),
  detail: Type.String({ description: 'One line for people.' }),
});

const report = Type.Object(
  {
    ready: Type.Boolean({ description: 'Whether requests would be served.' }),
    draining: Type.Boolean({ description: 'Stopping: no new messages.' }),
    redis: check,
    history: check,
    durability: check,
  },
  { description: 'Without the history it is ready: only what is old cannot be read then.' },
);

export async function healthRoutes(app: FastifyInstance): Promise<void> {
  app.get('/health/live', {
    schema: {
      tags,
      operationId: 'getLive',
      summary: 'Whether the process lives',
      description: 'Answers without asking anything.',
      security: [],
      response: {
        200: Type.Object({ live: Type.Boolean({ description: 'Always true.' }) }, { description: 'It does.' }),
        ...noTokenError,
      },
    },
    handler: async () => ({ live: true }),
  });
  app.get('/health/ready', {
    schema: {
      tags,
      operationId: 'getReady',
      summary: 'Whether it can serve',
      description: 'Asks Redis and the history, and says how safe an accepted message is.',
      security: [],
      response: { 200: report, 503: report, ...noTokenError },
    },
    handler: getReady,
  });
}

async function getReady({ server }: FastifyRequest, reply: FastifyReply): Promise<object> {
  const health = await server.services.health.report();
  if (!health.ready) void reply.code(503);
  return health;
}
