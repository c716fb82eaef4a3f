/** Listings of the contract have no pages; so that none grows for ever, `limits.listing` bounds them. */

import type { FastifyReply, FastifyRequest } from 'fastify';

/** For the descriptions of routes. */
export const boundedListing =
  'At most as many as the setting limits.listing says: the latest, or the first where they are listed by name. The header ' +
  'X-Total-Count says how many there are.';

export function mostListed({ server }: FastifyRequest): number {
  return server.services.config.limits.listing;
}

/** The last of them, for what is listed by age; the first, for what is listed by name. */
export function bounded<Item>(
  request: FastifyRequest,
  reply: FastifyReply,
  all: readonly Item[],
  which: 'first' | 'last',
): readonly Item[] {
  const most = mostListed(request);
  tellTotal(reply, all.length);
  return which === 'first' ? all.slice(0, most) : all.slice(-most);
}

export function tellTotal(reply: FastifyReply, count: number): void {
  void reply.header('x-total-count', count);
}
