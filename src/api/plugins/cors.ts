/** Any page may call, as with the original (contract §1.2): a star everywhere, the origin itself in a preflight. */

import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/** What pages may read beside the body. */
const exposedHeaders = ['ETag', 'Idempotency-Replayed', 'Location', 'Retry-After', 'X-Total-Count'];

export const corsPlugin = fastifyPlugin(
  async (app: FastifyInstance) => {
    await app.register(cors, {
      delegator: ({ method, headers }: FastifyRequest, done) => {
        const origin = method === 'OPTIONS' ? (headers.origin ?? '*') : '*';
        done(null, { origin, methods, exposedHeaders, optionsSuccessStatus: 200, strictPreflight: false });
      },
    });
  },
  { name: 'abaco-cors' },
);
