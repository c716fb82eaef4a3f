/** Answers that succeed: always 200, in the envelope. */

import type { FastifyRequest } from 'fastify';
import { type Attributes, type Envelope, spell } from './wire.ts';

export function success({ server }: FastifyRequest, message: string, result: unknown): Envelope {
  return { message, result, status: 'success', version: server.services.config.service.tag };
}

/** Attributes in the configured letter case. */
export function spelled({ server }: FastifyRequest, attributes: Attributes): Attributes {
  return spell(attributes, server.services.config.service.case);
}
