/**
 * Listings of the contract have no pages; so that none grows for ever, `limits.listing` bounds them. A query parameter
 * makes a search of some of them (contract §7.13), or none, where `compat.listing_query` says so: then `limit` and
 * `offset` make a page of what is listed, counted from the same end as the bound.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { InvalidError } from '../errors.ts';
import { isSearch, type QueryParameters } from './parse-search.ts';

/** For the descriptions of routes. */
export const boundedListing =
  'At most as many as the setting limits.listing says: the latest, or the first where they are listed by name. The header ' +
  'X-Total-Count says how many there are. Where the setting compat.listing_query is "listing", limit lists fewer, and ' +
  'offset leaves out as many of the latest, or of the first.';

/** Further back a search reaches. */
const mostOffset = 10_000;

export interface ListingPage {
  /** How many are left out, of the latest or of the first. */
  readonly offset: number;
  readonly limit: number;
}

/** Whether a listing is to be answered as a search. */
export function becomesSearch({ query, server }: FastifyRequest, known: readonly string[] = []): boolean {
  return server.services.config.compat.listingQuery === 'search' && isSearch(query as QueryParameters, known);
}

/** All that may be listed, unless the request may ask for less. */
export function listingPage({ query, server }: FastifyRequest): ListingPage {
  const { compat, limits } = server.services.config;
  if (compat.listingQuery === 'search') return { offset: 0, limit: limits.listing };
  return parsePage(query as QueryParameters, limits.listing);
}

function parsePage(query: QueryParameters, most: number): ListingPage {
  const offset = readCount('offset', query) ?? 0;
  if (offset > mostOffset) {
    throw invalid(`"offset" is ${offset}, ${mostOffset} at most; a search reaches further back`);
  }
  return { offset, limit: Math.min(most, readCount('limit', query) ?? most) };
}

/** How many of the latest have to be read for a page of them; never none, which stores take for all. */
export function reachOf({ offset, limit }: ListingPage): number {
  return Math.max(1, offset + limit);
}

/** The page of what is sorted by age, the oldest first. */
export function latestOf<Item>(items: readonly Item[], { offset, limit }: ListingPage): readonly Item[] {
  const end = Math.max(0, items.length - offset);
  return items.slice(Math.max(0, end - limit), end);
}

/** The last of them, for what is listed by age; the first, for what is listed by name. */
export function bounded<Item>(
  request: FastifyRequest,
  reply: FastifyReply,
  all: readonly Item[],
  which: 'first' | 'last',
): readonly Item[] {
  const page = listingPage(request);
  tellTotal(reply, all.length);
  return which === 'first' ? all.slice(page.offset, page.offset + page.limit) : latestOf(all, page);
}

export function tellTotal(reply: FastifyReply, count: number): void {
  void reply.header('x-total-count', count);
}

function readCount(name: string, query: QueryParameters): number | undefined {
  const text = [Object.hasOwn(query, name) ? query[name] : undefined].flat()[0] ?? '';
  if (text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid(`"${name}" must be a whole number from 0 on`);
}

function invalid(reason: string): InvalidError {
  return new InvalidError('request.invalid', `Invalid listing: parameter ${reason}`);
}
