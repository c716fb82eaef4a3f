/** Search over workers. They live in Redis alone and are few, so all that live are looked at. */

import type { FastifyRequest } from 'fastify';
import { decideAccess } from '../auth/decide-access.ts';
import type { SearchQuery } from '../history/search.ts';
import { compileFilters } from '../history/search-filter.ts';
import { createPatience } from '../history/search-page.ts';
import { scoreOf, textOf } from '../history/search-text.ts';
import type { WorkerRecord } from '../workers/worker-store.ts';
import { permissionOn } from './find-actor.ts';
import { boundFields } from './search-fields.ts';
import type { Attributes } from './wire.ts';
import { renderWorker } from './worker-view.ts';

export async function searchWorkers(
  request: FastifyRequest,
  actorId: string | undefined,
  { filters, words, phrase, skip, limit }: SearchQuery,
): Promise<{ readonly total: number; readonly items: readonly Attributes[] }> {
  const { absentTimes } = request.server.services.config.compat;
  const holds = compileFilters(filters, createPatience());
  const found = [];
  for (const record of await visibleWorkers(request, actorId)) {
    const fields = boundFields({ ...renderWorker(record, absentTimes), actor_id: record.actorId });
    const text = textOf(fields);
    if (phrase !== '' && !text.includes(phrase)) continue;
    if (await holds(fields)) found.push({ record, fields, score: scoreOf(text, words) });
  }
  found.sort((one, other) => other.score - one.score || byAge(one.record, other.record));
  return { total: found.length, items: found.slice(skip, skip + limit).map(({ fields }) => fields) };
}

async function visibleWorkers(request: FastifyRequest, actorId: string | undefined): Promise<readonly WorkerRecord[]> {
  const { caller, server } = request;
  const { workers, actors } = server.services;
  if (actorId !== undefined) return await workers.list({ tenant: caller.tenant, actorId });
  const all = (await workers.all()).filter(({ tenant }) => tenant === caller.tenant);
  const theirs = new Set<string>();
  for (const id of new Set(all.map((worker) => worker.actorId))) {
    const shared = await actors.getShared(caller.tenant, id, caller.user);
    const permission = shared && permissionOn(shared, caller.user);
    if (permission && !decideAccess(caller, { kind: 'actor', permission }, 'read')) theirs.add(id);
  }
  return all.filter((worker) => theirs.has(worker.actorId));
}

function byAge(one: WorkerRecord, other: WorkerRecord): number {
  return one.createTime.getTime() - other.createTime.getTime() || (one.id < other.id ? -1 : 1);
}
