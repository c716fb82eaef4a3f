/** Answers that succeed, in the envelope: 200, also for what was created, unless the service has the numbers of HTTP. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Links } from './links.ts';
import { type Attributes, type Envelope, type Spelling, spell } from './wire.ts';

export function success({ server }: FastifyRequest, message: string, result: unknown): Envelope {
  return { message, result, status: 'success', version: server.services.config.service.tag };
}

/** Says that something was created, and where it is: 201 where `compat.error_status` has the numbers of HTTP. */
export function tellCreated({ server }: FastifyRequest, reply: FastifyReply, self: string): void {
  if (server.services.config.compat.errorStatus === 'http') void reply.code(201).header('location', self);
}

/** Attributes in the letter case of the caller's tenant. */
export function spelled(request: FastifyRequest, attributes: Attributes): Attributes {
  return spell(attributes, spellingOf(request));
}

export function spellingOf({ server, caller }: FastifyRequest): Spelling {
  return server.tenants.rule(caller.tenant)?.spelling ?? server.services.config.service.case;
}

/** Links as the caller's tenant reaches us. */
export function linksOf({ server, caller }: FastifyRequest): Links {
  return server.linksFor(caller.tenant);
}
