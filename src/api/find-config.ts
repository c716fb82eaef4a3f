/** The config a path names, for what the request wants to do with it (contract §5.4). */

import type { FastifyRequest } from 'fastify';
import type { ActorConfig } from '../actors/config.ts';
import { decideAccess } from '../auth/decide-access.ts';
import { effectivePermission, type ObjectRef } from '../auth/permission.ts';
import { NotFoundError } from '../errors.ts';
import { verbHere } from './find-actor.ts';

export async function findConfig(request: FastifyRequest): Promise<ActorConfig> {
  const { params, caller, server, method } = request;
  const { config: name } = params as { readonly config: string };
  const { configs, permissions } = server.services;
  const object = { kind: 'config', tenant: caller.tenant, id: name } as const;
  const [config, grants] = await Promise.all([configs.get(caller.tenant, name), permissions.of(object, caller.user)]);
  if (!config) throw unknownConfig(name, method);
  const permission = effectivePermission(grants, false);
  const refusal = decideAccess(caller, { kind: 'config', permission }, verbHere(request));
  if (refusal) throw refusal;
  return config;
}

export function objectOfConfig({ tenant, name }: ActorConfig): ObjectRef {
  return { kind: 'config', tenant, id: name };
}

/** In the contract's words, which are others where it is to be deleted. */
export function unknownConfig(name: string, method: string): NotFoundError {
  const words = method === 'DELETE' ? 'No config found with name' : 'No config found';
  return new NotFoundError('actor_config.not_found', `${words}: ${name}.`);
}
