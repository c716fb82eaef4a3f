/** Workers of an actor: who serves it, ask for more, stop one (contract §7.11). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { InvalidError, NotFoundError } from '../../errors.ts';
import { isId } from '../../lib/ids.ts';
import { missing, staying, type WorkerRecord } from '../../workers/worker-store.ts';
import { answerSearch, searchMessages } from '../answer-search.ts';
import { becomesSearch, bounded, boundedListing } from '../bounded-listing.ts';
import { findActor, refOf } from '../find-actor.ts';
import { readRequestFields } from '../request-body.ts';
import { readFields } from '../request-fields.ts';
import { actorParams, envelope, errors, fieldsBody } from '../schemas/common.ts';
import { listingQuerystring, searchOrListing, searchResult } from '../schemas/search.ts';
import { foundWorker, worker, workerParams, workerRef, workersRequest } from '../schemas/worker.ts';
import { spelled, spellingOf, success } from '../success.ts';
import type { Attributes, Envelope } from '../wire.ts';
import { renderWorker } from '../worker-view.ts';

const tags = ['Workers'];

const messages = {
  list: 'Workers retrieved successfully.',
  get: 'Worker retrieved successfully.',
  stop: 'Worker scheduled to be stopped.',
  scheduled: (more: number, before: number) =>
    `Scheduled ${more} new worker(s) to start. Previously, there were ${before} workers.`,
  enough: (actorId: string, count: number) => `Actor ${actorId} already had ${count} worker(s).`,
};

const whatWorkers = 'Invalid worker description';

/** More than any host takes; the configuration's own limits are far below. */
const mostWorkers = 10_000;

export async function workerRoutes(app: FastifyInstance): Promise<void> {
  for (const schema of [worker, workersRequest]) app.addSchema(schema);

  app.get('/actors/:actor_id/workers', {
    schema: {
      tags,
      operationId: 'listWorkers',
      summary: 'List workers',
      description: `The workers that serve the actor now: as far as its host has room one is ready, more come with messages. Those asked for that no host has room for yet are not among them. ${boundedListing} ${searchOrListing}`,
      params: actorParams,
      querystring: listingQuerystring,
      response: {
        200: envelope(Type.Union([Type.Array(workerRef), searchResult(foundWorker)]), messages.list),
        ...errors(),
      },
    },
    handler: listWorkers,
  });
  app.post('/actors/:actor_id/workers', {
    schema: {
      tags,
      operationId: 'ensureWorkers',
      summary: 'Ask for workers',
      description:
        'From now on at least so many messages of a stateless actor may run at once, as far as hosts have room. A stateful ' +
        'actor has one worker, however many are asked for. Who asks for fewer than before changes nothing: a worker that is ' +
        'stopped is one less.',
      params: actorParams,
      body: fieldsBody(workersRequest),
      response: { 200: envelope(Type.Null(), messages.scheduled(2, 1)), ...errors() },
    },
    handler: ensureWorkers,
  });
  app.get('/actors/:actor_id/workers/:worker_id', {
    schema: {
      tags,
      operationId: 'getWorker',
      summary: 'Read a worker',
      description: 'One worker that serves the actor now.',
      params: workerParams,
      response: { 200: envelope(workerRef, messages.get), ...errors() },
    },
    handler: getWorker,
  });
  app.delete('/actors/:actor_id/workers/:worker_id', {
    schema: {
      tags,
      operationId: 'stopWorker',
      summary: 'Stop a worker',
      description:
        'The worker ends after what it is running, and is one less of those asked for. An actor whose host has room keeps ' +
        'one ready, whoever is stopped.',
      params: workerParams,
      response: { 200: envelope(Type.Null(), messages.stop), ...errors() },
    },
    handler: stopWorker,
  });
}

async function listWorkers(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const actor = await findActor(request);
  if (becomesSearch(request)) {
    return await answerSearch(request, { kind: 'workers', message: searchMessages.workers, actorId: actor.id });
  }
  const workers = await request.server.services.workers.list(refOf(actor));
  const shown = bounded(request, reply, workers, 'last').map((record) => showWorker(request, record));
  return success(request, messages.list, shown);
}

async function ensureWorkers(request: FastifyRequest): Promise<Envelope> {
  const actor = await findActor(request);
  const { workers } = request.server.services;
  const asked = await readRequestFields(request, whatWorkers);
  const reading = { what: whatWorkers, code: 'request.invalid', spelling: spellingOf(request) } as const;
  const num = readFields(workersRequest, asked, reading).num || 1;
  if (num < 0 || num > mostWorkers) throw invalid(`num is ${num}; it must be from 1 to ${mostWorkers}`);
  // Up to so many: of a stateful actor one, or its messages would lose their order.
  const count = actor.stateless ? num : 1;
  const ref = refOf(actor);
  const [records, wanted] = await Promise.all([workers.list(ref), workers.wanted(ref)]);
  if (wanted < count) await workers.want(ref, count);
  // With those that begin as soon as a host has room: asked for twice, they are not scheduled twice.
  const before = staying(records).length + missing(actor, records, wanted);
  if (before >= count) return success(request, messages.enough(actor.id, before), null);
  return success(request, messages.scheduled(count - before, before), null);
}

async function getWorker(request: FastifyRequest): Promise<Envelope> {
  const actor = await findActor(request);
  const id = workerIdOf(request);
  const record = isId(id) ? await request.server.services.workers.get(refOf(actor), id) : undefined;
  if (!record) throw unknownWorker();
  return success(request, messages.get, showWorker(request, record));
}

function showWorker(request: FastifyRequest, record: WorkerRecord): Attributes {
  return spelled(request, renderWorker(record, request.server.services.config.compat.absentTimes));
}

async function stopWorker(request: FastifyRequest): Promise<Envelope> {
  const actor = await findActor(request);
  const id = workerIdOf(request);
  const known = isId(id) && (await request.server.services.workers.requestStop(refOf(actor), id));
  if (!known) throw unknownWorker();
  return success(request, messages.stop, null);
}

function workerIdOf({ params }: FastifyRequest): string {
  return (params as { readonly worker_id: string }).worker_id;
}

function unknownWorker(): NotFoundError {
  return new NotFoundError('worker.not_found', 'Worker not found.');
}

function invalid(reason: string): InvalidError {
  return new InvalidError('request.invalid', `${whatWorkers}: ${reason}`);
}
