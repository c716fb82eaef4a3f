/** Actors: list, register, read, replace, delete (contract §§7.2–7.4). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Actor } from '../../actors/actor.ts';
import type { ActorDraft } from '../../actors/actor-record.ts';
import { decideAccess } from '../../auth/decide-access.ts';
import { InvalidError } from '../../errors.ts';
import { chooseLauncher } from '../../launcher/launcher-table.ts';
import { deleteActor } from '../actor-deletion.ts';
import { planActorSettings, planCron, whatActor } from '../actor-settings.ts';
import { describeSettings, renderActor } from '../actor-view.ts';
import { answerSearch, searchMessages } from '../answer-search.ts';
import { becomesSearch, boundedListing, latestOf, listingPage, reachOf, tellTotal } from '../bounded-listing.ts';
import { checkImage } from '../check-image.ts';
import { checkLink } from '../check-link.ts';
import { checkOwner } from '../check-owner.ts';
import { checkResources } from '../check-resources.ts';
import { actorTag, hasSeen, readIfMatch, staleVersion } from '../entity-tags.ts';
import { findActor, permissionOn, refOf, unknownActor } from '../find-actor.ts';
import { tellBefore } from '../plugins/audit.ts';
import { readRequestFields } from '../request-body.ts';
import { type Fields, isTruthy, keepLeftOut, readFields, valuesOf } from '../request-fields.ts';
import { checkRestricted } from '../restricted-attributes.ts';
import { actor, actorRef, actorRequest, actorUpdateRequest } from '../schemas/actor.ts';
import {
  actorParams,
  creation,
  envelope,
  errors,
  fieldsBody,
  ifMatch,
  ifNoneMatch,
  notModified,
} from '../schemas/common.ts';
import { listingQuerystring, searchOrListing, searchResult } from '../schemas/search.ts';
import { linksOf, spelled, spellingOf, success, tellCreated } from '../success.ts';
import type { Attributes, Envelope } from '../wire.ts';

const tags = ['Actors'];

const messages = {
  list: 'Actors retrieved successfully.',
  create: 'Actor created successfully.',
  get: 'Actor retrieved successfully.',
  update: 'Actor updated successfully.',
  deleted: 'Actor deleted successfully.',
  deleting: "Actor deleted successfully, though Abaco is still cleaning up some of the actor's resources.",
};

export async function actorRoutes(app: FastifyInstance): Promise<void> {
  for (const schema of [actor, actorRequest, actorUpdateRequest]) app.addSchema(schema);

  app.get('/actors', {
    schema: {
      tags,
      operationId: 'listActors',
      summary: 'List actors',
      description: `Those on which the caller, or everybody, has READ, the oldest first; also for administrators. ${boundedListing} ${searchOrListing}`,
      querystring: listingQuerystring,
      response: {
        200: envelope(Type.Union([Type.Array(actorRef), searchResult(actorRef)]), messages.list),
        ...errors(),
      },
    },
    handler: listActors,
  });
  app.post('/actors', {
    schema: {
      tags,
      operationId: 'createActor',
      summary: 'Register an actor',
      description:
        'Registers an image of a registry; on clusters also oras://NAME, docker-daemon:NAME, or the absolute path of a SIF ' +
        '(/path/to.sif). Whether it can be pulled is seen later, by the status READY or ERROR.',
      body: fieldsBody(actorRequest),
      response: { ...creation(actorRef, messages.create), ...errors() },
    },
    handler: createActor,
  });
  app.get('/actors/:actor_id', {
    schema: {
      tags,
      operationId: 'getActor',
      summary: 'Read an actor',
      description: 'The actor with its status and its state. The ETag names this version of both.',
      params: actorParams,
      headers: ifNoneMatch,
      response: { 200: envelope(actorRef, messages.get), 304: notModified, ...errors() },
    },
    handler: getActor,
  });
  app.put('/actors/:actor_id', {
    schema: {
      tags,
      operationId: 'updateActor',
      summary: 'Replace the settings of an actor',
      description:
        'Another image, or force, is a new revision. Name, owner and state stay. Where the setting compat.put is "merge", so ' +
        'does all that is left out, as if it were repeated: image may be left out too, and null returns to the default.',
      params: actorParams,
      headers: ifMatch,
      body: fieldsBody(actorUpdateRequest),
      response: { 200: envelope(actorRef, messages.update), ...errors(412) },
    },
    handler: updateActor,
  });
  app.delete('/actors/:actor_id', {
    schema: {
      tags,
      operationId: 'deleteActor',
      summary: 'Delete an actor',
      description: 'Ends what waits and what runs, waits for that up to 20 seconds, and deletes the actor.',
      params: actorParams,
      headers: ifMatch,
      response: { 200: envelope(Type.Null(), messages.deleted), ...errors(412) },
    },
    handler: removeActor,
  });
}

async function listActors(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  if (becomesSearch(request)) {
    return await answerSearch(request, { kind: 'actors', message: searchMessages.actors });
  }
  const { caller } = request;
  const page = listingPage(request);
  const { total, shared } = await request.server.services.actors.listShared(caller.tenant, caller.user, {
    most: reachOf(page),
    wanted: (one) => !decideAccess(caller, { kind: 'actor', permission: permissionOn(one, caller.user) }, 'list'),
  });
  tellTotal(reply, total);
  const shown = latestOf(shared, page).map(({ actor: found, state }) =>
    renderWithState(request, found, found.stateless ? {} : state),
  );
  return success(request, messages.list, shown);
}

async function createActor(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const { services } = request.server;
  const asked = await readRequestFields(request, whatActor, ['default_environment', 'defaultEnvironment']);
  const { tenant, user } = request.caller;
  const now = services.clock.now();
  const identity = { tenant, id: services.ids.next(), owner: user, createTime: now, lastUpdateTime: now };
  const draft = await planDraft(request, asked, identity);
  await checkLink(draft, request);
  const created = await services.actors.create(draft);
  const shown = await showActor(request, created);
  tellCreated(request, reply, linksOf(request).actor(created.id));
  return success(request, messages.create, shown);
}

async function getActor(request: FastifyRequest, reply: FastifyReply): Promise<Envelope | FastifyReply> {
  const found = await findActor(request);
  if (hasSeen(request, reply, actorTag(found))) return reply.code(304).send();
  return success(request, messages.get, await showActor(request, found));
}

async function updateActor(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const { actors } = request.server.services;
  for (;;) {
    const current = await findActor(request);
    tellBefore(request, current);
    const { draft, renew, merges } = await planUpdate(request, current);
    const seen = readIfMatch(request);
    const isStale = seen !== undefined && !seen.includes(current.version);
    if (merges && isStale) throw staleVersion(`Update of actor "${current.id}"`);
    const versions = merges ? [current.version] : seen;
    const updated = await actors.replace(draft, renew, request.caller.user, versions);
    if (updated !== 'stale') {
      void reply.header('etag', actorTag(updated));
      return success(request, messages.update, await showActor(request, updated));
    }
    if (!merges) throw staleVersion(`Update of actor "${current.id}"`);
    // It was merged with what somebody else has changed since: it is merged with that instead.
  }
}

interface ActorUpdate {
  readonly draft: ActorDraft;
  /** Whether it is a new revision. */
  readonly renew: boolean;
  /** Whether it holds what was there. */
  readonly merges: boolean;
}

async function planUpdate(request: FastifyRequest, current: Actor): Promise<ActorUpdate> {
  if (current.status === 'shutting_down') throw unknownActor(request.caller, 'update', current.id);
  const asked = await readRequestFields(request, whatActor, ['default_environment', 'defaultEnvironment']);
  const { config, clock } = request.server.services;
  const merges = config.compat.put === 'merge';
  const wanted = merges ? keepLeftOut(asked, describeSettings(current)) : asked;
  const { name, tenant, id, owner, createTime } = current;
  const identity = { tenant, id, owner, createTime, lastUpdateTime: clock.now() };
  const draft = { ...(await planDraft(request, wanted, identity, current)), name };
  if (!current.stateless && draft.stateless) {
    const reason = 'an actor that was not stateless cannot be updated to be stateless.';
    throw new InvalidError('actor.invalid', `${whatActor}: ${reason}`);
  }
  await checkLink(draft, request, current);
  const renew = draft.image !== current.image || isTruthy(valuesOf(asked, 'force')[0]);
  return { draft, renew, merges };
}

async function removeActor(request: FastifyRequest): Promise<Envelope> {
  const found = await findActor(request);
  tellBefore(request, found);
  const gone = await deleteActor(request.server.services, refOf(found), request.server.closing, readIfMatch(request));
  if (gone === 'stale') throw staleVersion(`Deletion of actor "${found.id}"`);
  return success(request, gone ? messages.deleted : messages.deleting, null);
}

async function planDraft(
  request: FastifyRequest,
  asked: Fields,
  identity: Pick<Actor, 'tenant' | 'id' | 'owner' | 'createTime' | 'lastUpdateTime'>,
  current?: Actor,
): Promise<ActorDraft> {
  const { caller } = request;
  const { config, runAs } = request.server.services;
  const reading = { what: whatActor, code: 'actor.invalid', spelling: spellingOf(request) } as const;
  const description = readFields(actorRequest, asked, reading);
  checkRestricted(description, caller, config);
  const settings = planActorSettings(description, config, identity.tenant);
  checkOwner(identity.owner, settings, request.server.services);
  checkImage(identity.tenant, settings, request.server.services);
  checkResources(settings, identity.owner, request.server.services);
  const launcher = chooseLauncher(settings, {
    queues: config.queues,
    defaultLauncher: config.service.defaultLauncher,
  });
  const { tenant, owner } = identity;
  return {
    ...settings,
    ...planCron(settings, current, identity.lastUpdateTime),
    ...identity,
    ...(await runAs.of({ tenant, owner, privileged: settings.privileged, launcher })),
  };
}

/** The actor as it is shown everywhere, with its state. */
export async function showActor(request: FastifyRequest, found: Actor): Promise<Attributes> {
  const state = found.stateless ? {} : await request.server.services.actors.state(refOf(found));
  return renderWithState(request, found, state);
}

function renderWithState(request: FastifyRequest, found: Actor, state: unknown): Attributes {
  const { services } = request.server;
  const links = linksOf(request);
  return spelled(request, renderActor(found, { state, links, now: services.clock.now() }));
}
