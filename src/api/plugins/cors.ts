/**
 * Any page may call, as with the original (contract §1.2): a star everywhere, the origin itself in a preflight. Not where
 * no token is asked for: what is refused there (`auth/foreign-request.ts`) has no word for other pages.
 */

import cors from '@fastify/cors';
import type { FastifyInstance, FastifyReply } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

const methods = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT';

/** What pages may read beside the body. */
const exposedHeaders = 'ETag, Idempotency-Replayed, Location, Retry-After, X-Total-Count';

export const corsPlugin = fastifyPlugin(
  async (app: FastifyInstance) => {
    // Options that depend on the request would be made anew for each.
    await app.register(cors, {
      origin: '*',
      methods,
      exposedHeaders,
      optionsSuccessStatus: 200,
      strictPreflight: false,
    });
    app.addHook('onSend', (request, reply, payload, done) => {
      const { origin } = request.headers;
      if (request.method === 'OPTIONS' && origin !== undefined && reply.hasHeader('access-control-allow-origin')) {
        void reply.header('access-control-allow-origin', origin);
        void reply.header('vary', 'Origin, Access-Control-Request-Headers');
      }
      done(null, payload);
    });
  },
  { name: 'abaco-cors' },
);

/** Keeps an answer from pages of others. */
export function hideFromPages(reply: FastifyReply): void {
  for (const name of ['access-control-allow-origin', 'access-control-expose-headers']) reply.removeHeader(name);
}
