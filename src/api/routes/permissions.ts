/** Who may do what with an actor, an alias or a config: read, and give (contract §7.12). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isPermission, type ObjectRef, permissions } from '../../auth/permission.ts';
import { InvalidError } from '../../errors.ts';
import { bounded, boundedListing } from '../bounded-listing.ts';
import { findActor, objectOf } from '../find-actor.ts';
import { findAlias, objectOfAlias } from '../find-alias.ts';
import { findConfig, objectOfConfig } from '../find-config.ts';
import { readRequestFields } from '../request-body.ts';
import { readFields } from '../request-fields.ts';
import { aliasParams } from '../schemas/alias.ts';
import { actorParams, envelope, errors, fieldsBody, reference } from '../schemas/common.ts';
import { configParams } from '../schemas/config.ts';
import { permissionMap, permissionRequest } from '../schemas/permission.ts';
import { pageQuerystring } from '../schemas/search.ts';
import { spellingOf, success } from '../success.ts';
import type { Envelope } from '../wire.ts';

const messages = { get: 'Permissions retrieved successfully.', add: 'Permission added successfully.' };

const whatPermission = 'Invalid permission description';

/** Longest name of a user, as in tokens. */
const longestUser = 255;

/** Finds what a path names, for what the request wants to do with it. */
type Find = (request: FastifyRequest) => Promise<ObjectRef>;

const ofActor: Find = async (request) => objectOf(await findActor(request));
const ofAlias: Find = async (request) => objectOfAlias((await findAlias(request)).alias);
const ofConfig: Find = async (request) => objectOfConfig(await findConfig(request));

export async function permissionRoutes(app: FastifyInstance): Promise<void> {
  for (const schema of [permissionMap, permissionRequest]) app.addSchema(schema);
  register(app, { path: '/actors/:actor_id/permissions', params: actorParams, name: 'Actor', find: ofActor });
  register(app, { path: '/actors/aliases/:alias/permissions', params: aliasParams, name: 'Alias', find: ofAlias });
  register(app, { path: '/actors/configs/:config/permissions', params: configParams, name: 'Config', find: ofConfig });
}

interface Place {
  readonly path: string;
  readonly params: object;
  readonly name: string;
  readonly find: Find;
}

function register(app: FastifyInstance, { path, params, name, find }: Place): void {
  const what = `the ${name.toLowerCase()}`;
  app.get(path, {
    schema: {
      tags: ['Permissions'],
      operationId: `get${name}Permissions`,
      summary: `Read the permissions of ${what}`,
      description: `Every user who stands in the map, in alphabetical order, with their level. ${boundedListing}`,
      params,
      querystring: pageQuerystring,
      response: { 200: envelope(reference('Permissions'), messages.get), ...errors() },
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) =>
      await getPermissions(request, reply, await find(request)),
  });
  app.post(path, {
    schema: {
      tags: ['Permissions'],
      operationId: `add${name}Permission`,
      summary: `Give a user a level on ${what}`,
      description: 'In place of the level the user had. Level NONE takes it away; there is no DELETE.',
      params,
      body: fieldsBody(permissionRequest),
      response: { 200: envelope(reference('Permissions'), messages.add), ...errors() },
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) =>
      await addPermission(request, reply, await find(request)),
  });
}

async function getPermissions(request: FastifyRequest, reply: FastifyReply, object: ObjectRef): Promise<Envelope> {
  return success(request, messages.get, await mapOf(request, reply, object));
}

async function addPermission(request: FastifyRequest, reply: FastifyReply, object: ObjectRef): Promise<Envelope> {
  const asked = await readRequestFields(request, whatPermission);
  const reading = { what: whatPermission, code: 'permission.invalid', spelling: spellingOf(request) } as const;
  const { user, level } = readFields(permissionRequest, asked, reading);
  if (!isPermission(level)) {
    throw invalid(`Invalid permission level: ${level.slice(0, 80)}. The valid levels are ${permissions.join(', ')}.`);
  }
  if (user === '' || user.length > longestUser || /[\p{Cc}\p{Cs}]/u.test(user)) {
    throw invalid(`${whatPermission}: user must be a name of 1 to ${longestUser} characters.`);
  }
  const outcome = await request.server.services.permissions.grant(object, user, level);
  if (outcome === 'gone') throw invalid(`${whatPermission}: the ${object.kind} is being deleted.`);
  return success(request, messages.add, await mapOf(request, reply, object));
}

/** Names of users are nobody's to spell otherwise, so this is no place for camel case. */
async function mapOf(
  request: FastifyRequest,
  reply: FastifyReply,
  object: ObjectRef,
): Promise<Readonly<Record<string, string>>> {
  const all = await request.server.services.permissions.all(object);
  return Object.fromEntries(bounded(request, reply, [...all], 'first'));
}

function invalid(message: string): InvalidError {
  return new InvalidError('permission.invalid', message);
}
