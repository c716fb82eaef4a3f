/** Says who asks, before anything else is done for the request. */

import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { type Caller, identifyCaller } from '../../auth/caller.ts';
import { refuseAdminPath, verbOf } from '../../auth/decide-access.ts';
import type { ForeignCheck } from '../../auth/foreign-request.ts';
import type { ObjectRef } from '../../auth/permission.ts';
import { everyRole } from '../../auth/roles.ts';
import type { Tenants } from '../../auth/tenants.ts';
import { isId } from '../../lib/ids.ts';
import type { Services } from '../services.ts';
import { hideFromPages } from './cors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

export interface AuthPluginOptions {
  readonly services: Pick<Services, 'actors' | 'executions' | 'nonces' | 'config' | 'clock'>;
  readonly tenants: Tenants;
  readonly refuseForeign: ForeignCheck;
  readonly tokensOnly: boolean;
}

/** Health and documentation are open, but not at an address that answers containers alone. */
export const authPlugin = fastifyPlugin(
  async (app: FastifyInstance, { services, tenants, refuseForeign, tokensOnly }: AuthPluginOptions) => {
    const { actors, executions, nonces, config, clock } = services;
    const options = {
      actors,
      executions,
      nonces,
      acceptNonces: config.auth.acceptNonces,
      tenants,
      userRole: config.auth.userRole,
      millisecondExpiry: config.compat.jwtMillisecondExpiry === 'check',
      clock,
      tokensOnly,
    };
    app.decorateRequest('caller');
    app.addHook('onRequest', async (request, reply) => {
      // By the route, since a path may be spelled with escapes.
      const route = request.routeOptions.url ?? '';
      if (!tokensOnly && !route.startsWith('/actors')) return;
      const { headers, method, query, params } = request;
      const names = params as Readonly<Record<string, string>>;
      const nonce = [(query as Readonly<Record<string, string | string[]>>)['x-nonce']].flat()[0];
      const shown = {
        headers,
        nonce,
        target: targetOf(names),
        verb: verbOf(method, route),
        isSearch: route.startsWith('/actors/search'),
      };
      request.caller = await identifyCaller(shown, options);
      const foreign = request.caller.roles.includes(everyRole) ? refuseForeign(headers) : undefined;
      if (foreign) hideFromPages(reply);
      const refusal = foreign ?? refuseAdminPath(request.caller, [route, ...wordsOf(names)]);
      if (refusal) throw refusal;
    });
  },
  { name: 'abaco-auth' },
);

/** The one thing a path is about: what its first name names. */
function targetOf({
  actor_id: name,
  alias,
}: Readonly<Record<string, string>>): Pick<ObjectRef, 'kind' | 'id'> | undefined {
  if (alias !== undefined) return { kind: 'alias', id: alias };
  if (name === undefined) return undefined;
  return { kind: isId(name) ? 'actor' : 'alias', id: name };
}

/** Names in a path that somebody chose. */
function wordsOf(params: Readonly<Record<string, string>>): readonly string[] {
  return Object.values(params).filter((value) => !isId(value));
}
