import type { FastifyRequest } from 'fastify';
import { InvalidError } from '../errors.ts';

/**
 * With any query parameter a listing of the original is a search (contract §7.13). A listing that passes filters over
 * would be a wrong answer, so they are refused.
 */
export function refuseSearch(request: FastifyRequest, ...known: readonly string[]): void {
  const names = Object.keys(request.query as object).filter((name) => name !== 'x-nonce' && !known.includes(name));
  if (names.length === 0) return;
  const shown = JSON.stringify(names[0]?.slice(0, 80));
  throw new InvalidError(
    'request.invalid',
    `Search is not offered by this server yet, so ${shown} cannot be answered; ask without query parameters`,
  );
}
