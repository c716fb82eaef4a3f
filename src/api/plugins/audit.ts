/**
 * Leaves one audit record for each request that has changed something: every route under /actors whose method is none
 * that only reads, so that new routes fall in by themselves. What was there before, the route tells (`tellBefore`); what
 * is there after, the answer.
 */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Clock } from '../../lib/clock.ts';
import { optional } from '../../lib/optional.ts';
import type { AuditLog } from '../../observability/audit-log.ts';
import { describeChange } from '../audit-record.ts';

export interface AuditPluginOptions {
  readonly audit: AuditLog;
  readonly clock: Clock;
}

const told = new WeakMap<FastifyRequest, { before?: unknown; after?: unknown }>();

/** Says what the request is about to change. */
export function tellBefore(request: FastifyRequest, before: unknown): void {
  told.set(request, { ...told.get(request), before });
}

export const auditPlugin = fastifyPlugin(
  async (app: FastifyInstance, { audit, clock }: AuditPluginOptions) => {
    app.addHook('preSerialization', async (request, _reply, payload) => {
      if (changes(request) && typeof payload === 'object' && payload !== null && 'result' in payload) {
        told.set(request, { ...told.get(request), after: payload.result });
      }
      return payload;
    });
    app.addHook('onResponse', async (request, reply) => {
      if (!changes(request) || !hasChanged(reply.statusCode)) return;
      const { url = '', schema } = request.routeOptions;
      const { operationId = '' } = (schema ?? {}) as { readonly operationId?: string };
      const { before, after } = told.get(request) ?? {};
      audit.add(
        describeChange({
          time: clock.now(),
          caller: request.caller,
          from: request.ip,
          requestId: request.id,
          method: request.method,
          route: url,
          operation: operationId,
          params: request.params as Readonly<Record<string, string>>,
          status: reply.statusCode,
          ...optional('before', before),
          ...optional('after', after),
        }),
      );
    });
  },
  { name: 'abaco-audit' },
);

const readers: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

function changes({ method, routeOptions }: FastifyRequest): boolean {
  return !readers.includes(method) && (routeOptions.url ?? '').startsWith('/actors');
}

/** A message whose answer came too late was sent all the same. */
function hasChanged(status: number): boolean {
  return status < 400 || status === 504;
}
