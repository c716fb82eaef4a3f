/** Nonces of an actor or an alias: list, make, read, delete (contract §§5.6, 7.12). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type TObject, Type } from 'typebox';
import { type CountedNonce, createNonceId, type Nonce, opensMore, unlimitedUses } from '../../auth/nonce.ts';
import { isPermission, least, type ObjectRef, type Permission, permissions, permits } from '../../auth/permission.ts';
import { isAdmin } from '../../auth/roles.ts';
import { InvalidError, NotFoundError } from '../../errors.ts';
import { bounded, boundedListing } from '../bounded-listing.ts';
import { actorRefOf, findShared, objectOf, verbHere } from '../find-actor.ts';
import { findAliasAndActor, objectOfAlias } from '../find-alias.ts';
import { renderNonce } from '../nonce-view.ts';
import { readRequestFields } from '../request-body.ts';
import { readFields } from '../request-fields.ts';
import { aliasParams } from '../schemas/alias.ts';
import { actorParams, creation, envelope, errors, fieldsBody } from '../schemas/common.ts';
import { actorNonceParams, aliasNonceParams, nonce, nonceRef, nonceRequest } from '../schemas/nonce.ts';
import { pageQuerystring } from '../schemas/search.ts';
import { linksOf, spelled, spellingOf, success, tellCreated } from '../success.ts';
import type { Attributes, Envelope } from '../wire.ts';

const tags = ['Nonces'];

const whatNonce = 'Invalid nonce description';

interface Found {
  readonly object: ObjectRef;
  readonly permission: Permission;
}

interface Place {
  readonly path: string;
  readonly name: 'Actor' | 'Alias';
  readonly params: TObject;
  readonly nonceParams: TObject;
  /** Finds what the path names, for what the request wants to do with it. */
  readonly find: (request: FastifyRequest) => Promise<Found>;
}

/** Through an alias in the place of an id the nonces are those of the actor, and good for its id alone. */
const ofActor: Place = {
  path: '/actors/:actor_id/nonces',
  name: 'Actor',
  params: actorParams,
  nonceParams: actorNonceParams,
  async find(request) {
    const { actor, permission } = await findShared(request, await actorRefOf(request), verbHere(request));
    return { object: objectOf(actor), permission };
  },
};

const ofAlias: Place = {
  path: '/actors/aliases/:alias/nonces',
  name: 'Alias',
  params: aliasParams,
  nonceParams: aliasNonceParams,
  async find(request) {
    const { alias, permission } = await findAliasAndActor(request);
    return { object: objectOfAlias(alias), permission };
  },
};

export async function nonceRoutes(app: FastifyInstance): Promise<void> {
  for (const schema of [nonce, nonceRequest]) app.addSchema(schema);
  for (const place of [ofActor, ofAlias]) register(app, place);
}

function register(app: FastifyInstance, { path, name, params, nonceParams, find }: Place): void {
  const said = {
    list: `${name} nonces retrieved successfully.`,
    create: `${name} nonce created successfully.`,
    get: `${name} nonce retrieved successfully.`,
    remove: `${name} nonce deleted successfully.`,
  };
  const what = `the ${name.toLowerCase()}`;
  app.get(path, {
    schema: {
      tags,
      operationId: `list${name}Nonces`,
      summary: `List the nonces of ${what}`,
      description: `The oldest first. Ids are shown to those who may UPDATE, those of privileged users and administrators to such alone. ${boundedListing}`,
      params,
      querystring: pageQuerystring,
      response: { 200: envelope(Type.Array(nonceRef), said.list), ...errors() },
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) =>
      await listNonces(request, reply, await find(request), said.list),
  });
  app.post(path, {
    schema: {
      tags,
      operationId: `create${name}Nonce`,
      summary: `Make a nonce of ${what}`,
      description: 'Sent as the query parameter x-nonce it lets its bearer act as its owner, on this alone.',
      params,
      body: fieldsBody(nonceRequest),
      response: { ...creation(nonceRef, said.create), ...errors() },
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) =>
      await createNonce(request, reply, await find(request), said.create),
  });
  app.get(`${path}/:nonce_id`, {
    schema: {
      tags,
      operationId: `get${name}Nonce`,
      summary: `Read a nonce of ${what}`,
      description: 'How often it was used, and how often it still can be.',
      params: nonceParams,
      response: { 200: envelope(nonceRef, said.get), ...errors() },
    },
    handler: async (request: FastifyRequest) => await getNonce(request, await find(request), said.get),
  });
  app.delete(`${path}/:nonce_id`, {
    schema: {
      tags,
      operationId: `delete${name}Nonce`,
      summary: `Delete a nonce of ${what}`,
      description: 'It lets nobody in any more.',
      params: nonceParams,
      response: { 200: envelope(Type.Null(), said.remove), ...errors() },
    },
    handler: async (request: FastifyRequest) => await deleteNonce(request, await find(request), said.remove),
  });
}

async function listNonces(
  request: FastifyRequest,
  reply: FastifyReply,
  found: Found,
  message: string,
): Promise<Envelope> {
  const nonces = await request.server.services.nonces.list(found.object);
  const shown = bounded(request, reply, nonces, 'last').map((one) =>
    showNonce(request, one, showsId(request, one, found.permission)),
  );
  return success(request, message, shown);
}

function showNonce(request: FastifyRequest, one: CountedNonce, shows: boolean): Attributes {
  const { absentTimes } = request.server.services.config.compat;
  return spelled(request, renderNonce(one, { links: linksOf(request), showsId: shows, absentTimes }));
}

/** Who reads an actor may not take a key that opens more of it, nor one of somebody mightier; and a key shows no better keys. */
function showsId({ caller, server }: FastifyRequest, one: Nonce, permission: Permission): boolean {
  if (server.services.config.compat.nonceIds === 'readers') return true;
  const granted = isAdmin(caller.roles) ? 'UPDATE' : permission;
  const level = caller.nonce ? least(granted, caller.nonce.level) : granted;
  return permits(level, 'UPDATE') && !opensMore(one, caller.roles);
}

async function createNonce(
  request: FastifyRequest,
  reply: FastifyReply,
  { object }: Found,
  message: string,
): Promise<Envelope> {
  const { services } = request.server;
  const { user: owner, roles } = request.caller;
  const asked = await readRequestFields(request, whatNonce);
  const reading = { what: whatNonce, code: 'nonce.invalid', spelling: spellingOf(request) } as const;
  const read = readFields(nonceRequest, asked, reading);
  const maxUses = readMaxUses(read.max_uses);
  const made = {
    id: createNonceId(object.tenant),
    object,
    owner,
    roles,
    level: readLevel(read.level ?? 'EXECUTE', object),
    maxUses,
    description: read.description ?? '',
    createTime: services.clock.now(),
  };
  if ((await services.nonces.add(made)) === 'gone') throw invalid(`${whatNonce}: the ${object.kind} is being deleted.`);
  tellCreated(request, reply, linksOf(request).nonce(object, made.id));
  return success(request, message, showNonce(request, { ...made, uses: 0 }, true));
}

function readMaxUses(maxUses = unlimitedUses): number {
  if (maxUses >= 1 || maxUses === unlimitedUses) return maxUses;
  throw invalid('The max uses parameter must be a positive integer or -1 (to denote unlimited uses).');
}

function readLevel(level: string, { kind }: ObjectRef): Permission {
  const offered: readonly Permission[] = kind === 'alias' ? permissions.filter((one) => one !== 'UPDATE') : permissions;
  if (isPermission(level) && offered.includes(level)) return level;
  const whose = kind === 'alias' ? ' of the nonce of an alias' : ' of a nonce';
  throw invalid(`Invalid level${whose}: ${level.slice(0, 80)}. The valid levels are ${offered.join(', ')}.`);
}

/** Who asks by the id has it. */
async function getNonce(request: FastifyRequest, { object }: Found, message: string): Promise<Envelope> {
  const found = await request.server.services.nonces.get(object, nonceIdOf(request));
  if (!found) throw unknownNonce();
  return success(request, message, showNonce(request, found, true));
}

async function deleteNonce(request: FastifyRequest, { object }: Found, message: string): Promise<Envelope> {
  const known = await request.server.services.nonces.remove(object, nonceIdOf(request));
  if (!known) throw unknownNonce();
  return success(request, message, null);
}

function nonceIdOf({ params }: FastifyRequest): string {
  return (params as { readonly nonce_id: string }).nonce_id;
}

function unknownNonce(): NotFoundError {
  return new NotFoundError('nonce.not_found', 'Nonce not found.');
}

function invalid(message: string): InvalidError {
  return new InvalidError('nonce.invalid', message);
}
