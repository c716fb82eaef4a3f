/**
 * What administrators see of all tenants: actors, workers, sums of executions (contract §7.15). Lists are in the order of
 * tenant and id and come in pages, which is ours; header `X-Total-Count` says how many there are.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ExecutionTotals } from '../../history/history.ts';
import { noTotals } from '../../history/totals.ts';
import type { ActorRef } from '../../mailbox/keys.ts';
import { missing, type WorkerRecord } from '../../workers/worker-store.ts';
import { describeActor } from '../actor-view.ts';
import { keyOf, renderSums, renderTotals } from '../admin-totals.ts';
import { tellTotal } from '../bounded-listing.ts';
import { parsePage, type QueryParameters } from '../parse-search.ts';
import { adminActors, adminExecutions, adminPage, adminWorkers } from '../schemas/admin.ts';
import { envelope, errors } from '../schemas/common.ts';
import { spellingOf, success } from '../success.ts';
import { type Attributes, camelName, type Envelope } from '../wire.ts';
import { renderWorker } from '../worker-view.ts';

const tags = ['Admin'];

const messages = {
  actors: 'Actors retrieved successfully.',
  workers: 'Workers retrieved successfully.',
  executions: 'Executions retrieved successfully.',
};

/** Longest a sum waits for executions that have ended and are not in the history yet. */
const patienceMs = 2_000;

export async function adminRoutes(app: FastifyInstance): Promise<void> {
  const admin = { tags, querystring: adminPage };

  app.get('/actors/admin', {
    schema: {
      ...admin,
      operationId: 'listAllActors',
      summary: 'List actors of all tenants',
      description: 'For administrators: actors with their workers, waiting messages and sums of executions.',
      response: { 200: envelope(adminActors, messages.actors), ...errors() },
    },
    handler: listAllActors,
  });
  app.get('/actors/admin/workers', {
    schema: {
      ...admin,
      operationId: 'listAllWorkers',
      summary: 'List workers of all tenants',
      description: 'For administrators: the workers there are, and how many of each status.',
      response: { 200: envelope(adminWorkers, messages.workers), ...errors() },
    },
    handler: listAllWorkers,
  });
  app.get('/actors/admin/executions', {
    schema: {
      ...admin,
      operationId: 'sumAllExecutions',
      summary: 'Sum executions of all tenants',
      description:
        'For administrators: sums over the executions that have ended, of all actors that ever were and of those there ' +
        'are, and for each of the latter.',
      response: { 200: envelope(adminExecutions, messages.executions), ...errors() },
    },
    handler: sumAllExecutions,
  });
}

async function listAllActors(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const totals = await totalsByActor(request);
  const refs = await allActors(request);
  const page = pageOf(request, reply, refs);
  const shown = await Promise.all(page.map((ref) => showActor(request, ref, totals.get(keyOf(ref)) ?? noTotals)));
  return success(
    request,
    messages.actors,
    shown.filter((actor) => actor !== undefined),
  );
}

async function showActor(
  request: FastifyRequest,
  ref: ActorRef,
  totals: ExecutionTotals,
): Promise<Attributes | undefined> {
  const { services } = request.server;
  const actor = await services.actors.get(ref.tenant, ref.actorId);
  if (!actor) return undefined;
  const [state, load, workers] = await Promise.all([
    actor.stateless ? {} : services.actors.state(ref),
    services.mailbox.load(ref),
    services.workers.list(ref),
  ]);
  return spelledWhole(request, {
    ...describeActor(actor, state),
    db_id: dbIdOf(ref),
    tenant: ref.tenant,
    api_server: request.server.linksFor(ref.tenant).apiServer,
    workers: workers.map((worker) => spelledWhole(request, renderWorker(worker, services.config.compat.absentTimes))),
    messages: load.waiting,
    executions: totals.count + load.waiting + load.held,
    runtime: Math.floor(totals.runtimeMs / 1_000),
  });
}

async function listAllWorkers(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const { services } = request.server;
  const [found, { current }, refs] = await Promise.all([
    services.workers.all(),
    services.actors.count(),
    services.actors.refs(),
  ]);
  const workers = found.toSorted((one, other) => (keyOf(one) + one.id < keyOf(other) + other.id ? -1 : 1));
  const served = new Set(workers.map(keyOf));
  const summary = {
    total_workers: workers.length,
    ready_workers: workers.filter(({ status }) => status === 'ready').length,
    requested_workers: await countMissing(request, refs, found),
    error_workers: 0,
    busy_workers: workers.filter(({ status }) => status === 'busy').length,
    actors_no_workers: Math.max(0, current - served.size),
  };
  const shown = pageOf(request, reply, workers).map((worker) =>
    spelledWhole(request, {
      ...renderWorker(worker, services.config.compat.absentTimes),
      actor_id: worker.actorId,
      actor_dbid: dbIdOf(worker),
    }),
  );
  return success(request, messages.workers, { summary: spelledWhole(request, summary), workers: shown });
}

/** Workers asked for that are not there yet. */
async function countMissing(
  { server }: FastifyRequest,
  refs: readonly ActorRef[],
  found: readonly WorkerRecord[],
): Promise<number> {
  const { actors, workers } = server.services;
  const byActor = Map.groupBy(found, keyOf);
  const counts = await Promise.all(
    refs.map(async (ref) => {
      const wanted = await workers.wanted(ref);
      const actor = wanted > 0 ? await actors.get(ref.tenant, ref.actorId) : undefined;
      return actor ? missing(actor, byActor.get(keyOf(ref)) ?? [], wanted) : 0;
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function sumAllExecutions(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const { actors } = request.server.services;
  const totals = await totalsByActor(request);
  const [refs, { total }] = await Promise.all([allActors(request), actors.count()]);
  const existing = refs.flatMap((ref) => totals.get(keyOf(ref)) ?? []);
  const summary = {
    ...renderSums('all', Math.max(total, totals.size), [...totals.values()]),
    ...renderSums('existing', refs.length, existing),
  };
  const page = await Promise.all(
    pageOf(request, reply, refs).map(async (ref) => {
      const actor = await actors.get(ref.tenant, ref.actorId);
      if (!actor) return [];
      const sums = renderTotals(totals.get(keyOf(ref)) ?? noTotals);
      return [spelledWhole(request, { actor_id: actor.id, owner: actor.owner, image: actor.image, ...sums })];
    }),
  );
  return success(request, messages.executions, { summary: spelledWhole(request, summary), actors: page.flat() });
}

async function allActors({ server }: FastifyRequest): Promise<readonly ActorRef[]> {
  const refs = await server.services.actors.refs();
  return refs.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

/** With all that had ended before, and without the last traces of what was deleted before. */
async function totalsByActor({ server }: FastifyRequest): Promise<ReadonlyMap<string, ExecutionTotals>> {
  const { history, outbox, actors } = server.services;
  const tenants = new Set((await actors.refs()).map(({ tenant }) => tenant));
  await Promise.all([...tenants].map((tenant) => outbox.catchUp({ tenant }, patienceMs)));
  return new Map((await history.totalsByActor()).map((totals) => [keyOf(totals), totals]));
}

function pageOf<Item>(request: FastifyRequest, reply: FastifyReply, all: readonly Item[]): readonly Item[] {
  const { skip, limit } = parsePage(request.query as QueryParameters, mostOnPage);
  tellTotal(reply, all.length);
  return all.slice(skip, skip + limit);
}

const mostOnPage = 1_000;

function dbIdOf({ tenant, actorId }: ActorRef): string {
  return `${tenant}_${actorId}`;
}

/** In the caller's letter case, and unlike elsewhere with its nulls. */
function spelledWhole(request: FastifyRequest, attributes: Attributes): Attributes {
  if (spellingOf(request) === 'snake') return attributes;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [camelName(name), value]));
}
