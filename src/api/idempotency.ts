/** What makes two requests the same under one `Idempotency-Key` (design §4). */

import { createHash, type Hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { InvalidError } from '../errors.ts';

export const idempotencyHeader = 'idempotency-key';
export const replayedHeader = 'idempotency-replayed';

/** Throws `InvalidError` when the header is there and not 1–255 visible characters. */
export function readIdempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers[idempotencyHeader];
  if (key === undefined) return undefined;
  if (isIdempotencyKey(key)) return key;
  throw new InvalidError('request.invalid', 'Header "Idempotency-Key" must be 1 to 255 visible ASCII characters');
}

export function isIdempotencyKey(key: unknown): key is string {
  return typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key);
}

/** A digest that has taken in query and content type; the body is still to be added. */
export function startDigest(request: FastifyRequest): Hash {
  const query = request.url.split('?').slice(1).join('?');
  return createHash('sha256').update(JSON.stringify([query, request.headers['content-type'] ?? '']));
}
