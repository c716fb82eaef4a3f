/** Aliases: list, make, read, let stand for another actor, delete (contract §7.12). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Alias } from '../../actors/alias.ts';
import { aliasProblem } from '../../actors/alias.ts';
import { ConflictError, InvalidError, NotFoundError } from '../../errors.ts';
import { isId } from '../../lib/ids.ts';
import { bounded, boundedListing } from '../bounded-listing.ts';
import { findShared } from '../find-actor.ts';
import { findAlias, unknownAlias } from '../find-alias.ts';
import { tellBefore } from '../plugins/audit.ts';
import { readRequestFields } from '../request-body.ts';
import { readFields, valuesOf } from '../request-fields.ts';
import { alias, aliasParams, aliasRef, aliasRequest, aliasUpdateRequest } from '../schemas/alias.ts';
import { creation, envelope, errors, fieldsBody } from '../schemas/common.ts';
import { pageQuerystring } from '../schemas/search.ts';
import { linksOf, spelled, spellingOf, success, tellCreated } from '../success.ts';
import type { Attributes, Envelope } from '../wire.ts';

const tags = ['Aliases'];

const messages = {
  list: 'Aliases retrieved successfully.',
  create: 'Actor alias created successfully.',
  get: 'Alias retrieved successfully.',
  update: 'Actor alias updated successfully.',
  remove: (name: string) => `Alias ${name} deleted successfully.`,
};

const whatAlias = 'Invalid alias description';
const whatUpdate = 'Invalid alias update description';

export async function aliasRoutes(app: FastifyInstance): Promise<void> {
  for (const schema of [alias, aliasRequest, aliasUpdateRequest]) app.addSchema(schema);

  app.get('/actors/aliases', {
    schema: {
      tags,
      operationId: 'listAliases',
      summary: 'List aliases',
      description: `Those of the tenant, in alphabetical order. ${boundedListing}`,
      querystring: pageQuerystring,
      response: { 200: envelope(Type.Array(aliasRef), messages.list), ...errors() },
    },
    handler: listAliases,
  });
  app.post('/actors/aliases', {
    schema: {
      tags,
      operationId: 'createAlias',
      summary: 'Make an alias',
      description: 'Takes UPDATE on the actor, from administrators too. Who makes it may UPDATE the alias.',
      body: fieldsBody(aliasRequest),
      response: { ...creation(aliasRef, messages.create), ...errors() },
    },
    handler: createAlias,
  });
  app.get('/actors/aliases/:alias', {
    schema: {
      tags,
      operationId: 'getAlias',
      summary: 'Read an alias',
      description: 'The actor it stands for.',
      params: aliasParams,
      response: { 200: envelope(aliasRef, messages.get), ...errors() },
    },
    handler: getAlias,
  });
  app.put('/actors/aliases/:alias', {
    schema: {
      tags,
      operationId: 'updateAlias',
      summary: 'Let an alias stand for another actor',
      description: 'Takes UPDATE on the alias and on that actor. Its owner, its permissions and its nonces stay.',
      params: aliasParams,
      body: fieldsBody(aliasUpdateRequest),
      response: { 200: envelope(aliasRef, messages.update), ...errors() },
    },
    handler: updateAlias,
  });
  app.delete('/actors/aliases/:alias', {
    schema: {
      tags,
      operationId: 'deleteAlias',
      summary: 'Delete an alias',
      description: 'With its permissions and its nonces; the actor stays.',
      params: aliasParams,
      response: { 200: envelope(Type.Null(), messages.remove('x')), ...errors() },
    },
    handler: deleteAlias,
  });
}

async function listAliases(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const aliases = await request.server.services.aliases.list(request.caller.tenant);
  return success(
    request,
    messages.list,
    bounded(request, reply, aliases, 'first').map((one) => showAlias(request, one)),
  );
}

async function createAlias(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const { tenant, user: owner } = request.caller;
  const asked = await readRequestFields(request, whatAlias);
  const reading = { what: whatAlias, code: 'alias.invalid', spelling: spellingOf(request) } as const;
  const { alias: name, actor_id: actorId } = readFields(aliasRequest, asked, reading);
  const problem = aliasProblem(name);
  if (problem !== undefined) throw invalid(`${whatAlias}. ${problem}`);
  await checkActor(request, actorId, 'name');
  const made = { tenant, alias: name, actorId, owner };
  await take(request, made);
  tellCreated(request, reply, linksOf(request).alias(name));
  return success(request, messages.create, showAlias(request, made));
}

/** A name whose actor is gone, and which nobody has freed yet, is free. */
async function take(request: FastifyRequest, made: Alias): Promise<void> {
  const { aliases, actors } = request.server.services;
  let outcome = await aliases.create(made);
  if (outcome === 'used') {
    const before = await aliases.get(made.tenant, made.alias);
    if (before && !(await actors.get(before.tenant, before.actorId))) {
      await aliases.remove(before);
      outcome = await aliases.create(made);
    }
  }
  if (outcome === 'used') throw new ConflictError('alias.taken', `Alias ${made.alias} already exists.`);
  if (outcome === 'gone') throw unknownTarget(made.actorId);
}

async function getAlias(request: FastifyRequest): Promise<Envelope> {
  return success(request, messages.get, showAlias(request, (await findAlias(request)).alias));
}

async function updateAlias(request: FastifyRequest): Promise<Envelope> {
  const { aliases } = request.server.services;
  const { alias: current } = await findAlias(request);
  tellBefore(request, current);
  const asked = await readRequestFields(request, whatUpdate);
  if (valuesOf(asked, 'alias').length > 0) throw invalid(`${whatUpdate}. The name of an alias cannot be changed.`);
  const reading = { what: whatUpdate, code: 'alias.invalid', spelling: spellingOf(request) } as const;
  const { actor_id: actorId } = readFields(aliasUpdateRequest, asked, reading);
  await checkActor(request, actorId, 'update');
  const outcome = await aliases.move(current, actorId, request.caller.user);
  if (outcome === 'gone') throw unknownTarget(actorId);
  if (outcome === 'changed') throw changedMeanwhile(current);
  return success(request, messages.update, showAlias(request, { ...current, actorId }));
}

async function deleteAlias(request: FastifyRequest): Promise<Envelope> {
  const { alias: current } = await findAlias(request);
  tellBefore(request, current);
  const { aliases } = request.server.services;
  if ((await aliases.remove(current)) === 'changed') {
    if (!(await aliases.get(current.tenant, current.alias))) throw unknownAlias(current.alias);
    throw changedMeanwhile(current);
  }
  return success(request, messages.remove(current.alias), null);
}

/** The actor an alias is to stand for has to be one of the tenant, which the caller may UPDATE. */
async function checkActor(request: FastifyRequest, actorId: string, verb: 'name' | 'update'): Promise<void> {
  const { tenant } = request.caller;
  if (!isId(actorId) || !(await request.server.services.actors.get(tenant, actorId))) throw unknownTarget(actorId);
  await findShared(request, { tenant, actorId }, verb);
}

function showAlias(request: FastifyRequest, { alias: name, actorId, owner }: Alias): Attributes {
  const links = linksOf(request);
  return spelled(request, {
    _links: { self: links.alias(name), owner: links.profile(owner), actor: links.actor(actorId) },
    alias: name,
    actor_id: actorId,
    owner,
  });
}

function unknownTarget(actorId: string): NotFoundError {
  return new NotFoundError('actor.not_found', `No actor found with id: ${actorId}.`);
}

function changedMeanwhile({ alias: name }: Alias): ConflictError {
  return new ConflictError('alias.taken', `Alias ${name} was changed by somebody else meanwhile; read it again`);
}

function invalid(message: string): InvalidError {
  return new InvalidError('alias.invalid', message);
}
