/** Says who asks, before anything else is done for the request. */

import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { type Caller, identifyCaller } from '../../auth/caller.ts';
import { createTenants } from '../../auth/tenants.ts';
import type { Services } from '../services.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

export interface AuthPluginOptions {
  readonly services: Pick<Services, 'actors' | 'executions' | 'config' | 'clock'>;
  readonly tokensOnly: boolean;
}

/** Health and documentation are open, but not at an address that answers containers alone. */
export const authPlugin = fastifyPlugin(
  async (app: FastifyInstance, { services, tokensOnly }: AuthPluginOptions) => {
    const { actors, executions, config, clock } = services;
    const options = {
      actors,
      executions,
      tenants: createTenants(config.tenants, config.auth),
      userRole: config.auth.userRole,
      millisecondExpiry: config.compat.jwtMillisecondExpiry === 'check',
      clock,
      tokensOnly,
    };
    app.decorateRequest('caller');
    app.addHook('onRequest', async (request) => {
      // By the route, since a path may be spelled with escapes.
      if (!tokensOnly && request.routeOptions.url?.startsWith('/actors') !== true) return;
      request.caller = await identifyCaller(request.headers, options);
    });
  },
  { name: 'abaco-auth' },
);
