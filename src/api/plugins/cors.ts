/** Any page may call, as with the original (contract §1.2): a star everywhere, the origin itself in a preflight. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

const methods = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';

/** What pages may read beside the body. */
const exposedHeaders = 'ETag, Idempotency-Replayed, Location, Retry-After, X-Total-Count';

export const corsPlugin = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', (request, reply, done) => {
      void reply.header('access-control-expose-headers', exposedHeaders);
      // Before anybody asks who is calling: browsers leave credentials out of a preflight.
      if (request.method === 'OPTIONS') return void answerPreflight(request, reply);
      void reply.header('access-control-allow-origin', '*');
      done();
    });
    // The hook has answered; without a route there would be no hook.
    app.options('*', { schema: { hide: true } }, async () => undefined);
  },
  { name: 'abaco-cors' },
);

function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = headers['access-control-request-headers'];
  void reply
    .header('vary', 'Origin, Access-Control-Request-Headers')
    .header('access-control-allow-origin', headers.origin ?? '*')
    .header('access-control-allow-methods', methods);
  if (asked !== undefined) void reply.header('access-control-allow-headers', asked);
  return reply.code(200).header('content-length', '0').send();
}
