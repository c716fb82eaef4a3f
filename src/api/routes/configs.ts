/** Configs and secrets: list, make, read, replace, delete (contract §7.12). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import {
  type ActorConfig,
  actorNamesProblem,
  bytesOfConfig,
  configNameProblem,
  configsProblem,
  configValueProblem,
  readActorNames,
} from '../../actors/config.ts';
import type { SaveOutcome } from '../../actors/config-store.ts';
import { ConflictError, InvalidError, NotFoundError } from '../../errors.ts';
import { isId } from '../../lib/ids.ts';
import type { ActorRef } from '../../mailbox/keys.ts';
import { bounded, boundedListing } from '../bounded-listing.ts';
import { findShared } from '../find-actor.ts';
import { findConfig, unknownConfig } from '../find-config.ts';
import { tellBefore } from '../plugins/audit.ts';
import { readRequestFields } from '../request-body.ts';
import { readFields } from '../request-fields.ts';
import { creation, envelope, errors, fieldsBody } from '../schemas/common.ts';
import { config, configParams, configRef, configRequest, configUpdateRequest } from '../schemas/config.ts';
import { pageQuerystring } from '../schemas/search.ts';
import { linksOf, spelled, spellingOf, success, tellCreated } from '../success.ts';
import type { Attributes, Envelope } from '../wire.ts';

const tags = ['Configs'];

const messages = {
  list: 'Actor Configs retrieved successfully.',
  create: 'Actor config created successfully.',
  get: 'Config retrieved successfully.',
  update: 'Actor config updated successfully.',
  remove: (name: string) => `Actor config ${name} deleted successfully.`,
};

const whatConfig = 'Invalid actor config description';

export async function configRoutes(app: FastifyInstance): Promise<void> {
  for (const schema of [config, configRequest, configUpdateRequest]) app.addSchema(schema);

  app.get('/actors/configs', {
    schema: {
      tags,
      operationId: 'listConfigs',
      summary: 'List configs',
      description: `Those of the tenant, in alphabetical order. ${boundedListing}`,
      querystring: pageQuerystring,
      response: { 200: envelope(Type.Array(configRef), messages.list), ...errors() },
    },
    handler: listConfigs,
  });
  app.post('/actors/configs', {
    schema: {
      tags,
      operationId: 'createConfig',
      summary: 'Make a config',
      description: 'Who makes it may UPDATE it. The executions of its actors that start from now on are given it.',
      body: fieldsBody(configRequest),
      response: { ...creation(configRef, messages.create), ...errors() },
    },
    handler: createConfig,
  });
  app.get('/actors/configs/:config', {
    schema: {
      tags,
      operationId: 'getConfig',
      summary: 'Read a config',
      description: 'Of a secret everything but its value.',
      params: configParams,
      response: { 200: envelope(configRef, messages.get), ...errors() },
    },
    handler: async (request: FastifyRequest) =>
      success(request, messages.get, showConfig(request, await findConfig(request))),
  });
  app.put('/actors/configs/:config', {
    schema: {
      tags,
      operationId: 'updateConfig',
      summary: 'Replace a config',
      description: 'Its name and its permissions stay. What stands for a secret, as value, keeps the secret as it is.',
      params: configParams,
      body: fieldsBody(configUpdateRequest),
      response: { 200: envelope(configRef, messages.update), ...errors() },
    },
    handler: updateConfig,
  });
  app.delete('/actors/configs/:config', {
    schema: {
      tags,
      operationId: 'deleteConfig',
      summary: 'Delete a config',
      description: 'With its permissions; what runs keeps what it was given.',
      params: configParams,
      response: { 200: envelope(Type.Null(), messages.remove('x')), ...errors() },
    },
    handler: deleteConfig,
  });
}

async function listConfigs(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const configs = await request.server.services.configs.list(request.caller.tenant);
  return success(
    request,
    messages.list,
    bounded(request, reply, configs, 'first').map((one) => showConfig(request, one)),
  );
}

async function createConfig(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const fields = readFields(configRequest, await readRequestFields(request, whatConfig), reading(request));
  const problem = configNameProblem(fields.name);
  if (problem !== undefined) throw invalid(problem);
  const made = await checked(request, fields.name, fields);
  const { configs } = request.server.services;
  const answer = await saved(request, made, await configs.create(made, request.caller.user), messages.create);
  tellCreated(request, reply, linksOf(request).config(made.name));
  return answer;
}

async function updateConfig(request: FastifyRequest): Promise<Envelope> {
  const before = await findConfig(request);
  tellBefore(request, before);
  const fields = readFields(configUpdateRequest, await readRequestFields(request, whatConfig), reading(request));
  if (before.isSecret && !fields.is_secret && fields.value === before.value) {
    throw invalid('value is what stands for the secret; give the text that is to take its place.');
  }
  const made = await checked(request, before.name, fields);
  const { configs } = request.server.services;
  return await saved(request, made, await configs.replace(made, request.caller.user), messages.update);
}

async function deleteConfig(request: FastifyRequest): Promise<Envelope> {
  const found = await findConfig(request);
  const { tenant, name } = found;
  tellBefore(request, found);
  if (!(await request.server.services.configs.remove(tenant, name))) throw unknownConfig(name, request.method);
  return success(request, messages.remove(name), null);
}

type Given = Static<typeof configUpdateRequest>;

/** What could be given to every container it is for. */
async function checked(request: FastifyRequest, name: string, given: Given): Promise<ActorConfig> {
  const { value, is_secret: isSecret } = given;
  const actors = readActorNames(given.actors);
  const problem = actorNamesProblem(actors) ?? configValueProblem({ name, value });
  if (problem !== undefined) throw invalid(problem);
  for (const word of actors) await checkActor(request, word, { name, value });
  return { tenant: request.caller.tenant, name, value, isSecret, actors };
}

async function checkActor(request: FastifyRequest, word: string, one: { name: string; value: string }): Promise<void> {
  const { actors, configs, config: settings } = request.server.services;
  const actor = await refOfWord(request, word);
  if (!actor || !(await actors.get(actor.tenant, actor.actorId))) throw unknownWord(word);
  if (settings.compat.configActors === 'updatable') await findShared(request, actor, 'update');
  const problem = configsProblem((await configs.bytesFor(actor, one.name)) + bytesOfConfig(one));
  if (problem !== undefined) throw invalid(problem);
}

async function refOfWord({ caller, server }: FastifyRequest, word: string): Promise<ActorRef | undefined> {
  const { tenant } = caller;
  if (isId(word)) return { tenant, actorId: word };
  const alias = await server.services.aliases.get(tenant, word);
  return alias && { tenant, actorId: alias.actorId };
}

async function saved(
  request: FastifyRequest,
  made: ActorConfig,
  outcome: SaveOutcome,
  message: string,
): Promise<Envelope> {
  const { tenant, name } = made;
  if (outcome === 'used') {
    const help = 'please choose another name for your config';
    throw new ConflictError('actor_config.taken', `Config ${name} already exists; ${help}`);
  }
  if (outcome === 'gone') throw unknownConfig(name, request.method);
  if (typeof outcome === 'object') throw unknownWord(outcome.unknown);
  const { actors, configs } = request.server.services;
  // One that was deleted between the check and the step before is named no more either.
  for (const actorId of made.actors.filter(isId)) {
    if (!(await actors.get(tenant, actorId))) await configs.forget({ tenant, actorId });
  }
  return success(request, message, showConfig(request, (await configs.get(tenant, name)) ?? goneAgain(request, name)));
}

function goneAgain({ method }: FastifyRequest, name: string): never {
  throw unknownConfig(name, method);
}

function showConfig(request: FastifyRequest, { name, value, isSecret, actors }: ActorConfig): Attributes {
  return spelled(request, { name, value, is_secret: isSecret, actors: actors.join(',') });
}

function reading(request: FastifyRequest) {
  return { what: whatConfig, code: 'actor_config.invalid', spelling: spellingOf(request) } as const;
}

function unknownWord(word: string): NotFoundError {
  return new NotFoundError('actor.not_found', `No actor or alias found with id: ${word.slice(0, 255)}.`);
}

function invalid(problem: string): InvalidError {
  return new InvalidError('actor_config.invalid', `${whatConfig}. ${problem}`);
}
