/** A search from the question to the answer (contract §7.13), for its own route and for listings that become one. */

import type { FastifyRequest } from 'fastify';
import { readingAs } from '../auth/readers.ts';
import type { FoundEntry, SearchKind, SearchPage, SearchQuery, SearchScope } from '../history/search.ts';
import { renderActor } from './actor-view.ts';
import { readExecution, readLogText } from './execution-reader.ts';
import { parseSearch, type QueryParameters } from './parse-search.ts';
import { renderFound, textOf } from './search-view.ts';
import { searchWorkers } from './search-workers.ts';
import { linksOf, spelled, success } from './success.ts';
import type { Attributes, Envelope } from './wire.ts';

export const searchMessages = {
  search: 'Search completed successfully.',
  actors: 'Actors search completed successfully.',
  executions: 'Executions search completed successfully.',
  workers: 'Workers search completed successfully.',
  logs: 'Log search completed successfully.',
};

/** Longest a search waits for what was answered before it and is not findable yet. */
const patienceMs = 2_000;

/** Text of logs in one answer; what comes after it is a page of its own. */
const mostLogChars = 16 * 1024 * 1024;

export interface SearchRequest {
  readonly kind: SearchKind | 'workers';
  readonly message: string;
  /** One actor, which the caller was found to be allowed to read. */
  readonly actorId?: string;
  /** One execution of it. */
  readonly executionId?: string;
  /** Parameters of the route that are no filters. */
  readonly known?: readonly string[];
}

export async function answerSearch(request: FastifyRequest, asked: SearchRequest): Promise<Envelope> {
  const { tenant } = request.caller;
  const query = parseSearch(request.query as QueryParameters, { tenant, known: asked.known ?? [] });
  const found = asked.kind === 'workers' ? await findWorkers(request, asked, query) : await find(request, asked, query);
  const metadata = spelled(request, {
    count_returned: found.items.length,
    ...(found.complete ? {} : { incomplete: 'What was changed in the last moments may not be found yet; ask again' }),
    record_limit: query.limit,
    records_skipped: query.skip,
    total_count: found.total,
  });
  const search = found.items.map((item) => spelled(request, item));
  return success(request, asked.message, { _metadata: metadata, search });
}

interface Found {
  readonly total: number;
  readonly items: readonly Attributes[];
  /** Whether all that was answered before the search could be found. */
  readonly complete: boolean;
}

async function findWorkers(request: FastifyRequest, { actorId }: SearchRequest, query: SearchQuery): Promise<Found> {
  const { total, items } = await searchWorkers(request, actorId, query);
  return { total, items, complete: true };
}

async function find(request: FastifyRequest, asked: SearchRequest, query: SearchQuery): Promise<Found> {
  const { outbox, history } = request.server.services;
  const scope = scopeOf(request, asked);
  const complete = await outbox.catchUp(scope, patienceMs);
  const page = await history.search(scope, query);
  const items = scope.kind === 'logs' ? await showLogs(request, page) : await showAll(request, scope.kind, page);
  return { total: page.total, items, complete };
}

function scopeOf({ caller }: FastifyRequest, { kind, actorId, executionId }: SearchRequest): SearchScope {
  const readers = actorId === undefined ? readingAs(caller) : undefined;
  return {
    tenant: caller.tenant,
    kind: kind as SearchKind,
    ...(actorId === undefined ? {} : { actorId }),
    ...(executionId === undefined ? {} : { id: executionId }),
    ...(readers && { readers }),
  };
}

async function showAll(request: FastifyRequest, kind: SearchKind, { entries }: SearchPage): Promise<Attributes[]> {
  const links = linksOf(request);
  return await Promise.all(
    entries.map(async (entry) => renderFound(kind, entry, links) ?? (await showWhole(request, entry))),
  );
}

/** An actor of which not all could be kept for searches, from where it lives. */
async function showWhole(request: FastifyRequest, { actorId }: FoundEntry): Promise<Attributes> {
  const { services } = request.server;
  const links = linksOf(request);
  const ref = { tenant: request.caller.tenant, actorId };
  const [actor, state] = await Promise.all([services.actors.get(ref.tenant, actorId), services.actors.state(ref)]);
  return actor ? renderActor(actor, { state, links, now: services.clock.now() }) : { id: actorId };
}

/** One by one, since each may be large; the answer ends where it would become too large. */
async function showLogs(request: FastifyRequest, { entries }: SearchPage): Promise<Attributes[]> {
  const { services } = request.server;
  const links = linksOf(request);
  const shown: Attributes[] = [];
  let chars = 0;
  for (const { actorId, id, fields } of entries) {
    const { tenant } = request.caller;
    const execution = await readExecution(services, { tenant, actorId }, id);
    const logs = execution ? await readLogText(services, execution) : '';
    chars += logs.length;
    if (shown.length > 0 && chars > mostLogChars) break;
    // As where the log is read; of an actor that is gone nobody is known but who sent the message.
    const owner = links.profile((await services.actors.get(tenant, actorId))?.owner ?? textOf(fields['executor']));
    const own = { self: links.logs(actorId, id), owner, execution: links.execution(actorId, id) };
    shown.push({ logs, _links: own });
  }
  return shown;
}
