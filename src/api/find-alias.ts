/** The alias a path names, for what the request wants to do with it (contract §5.4). */

import type { FastifyRequest } from 'fastify';
import type { Alias } from '../actors/alias.ts';
import { decideAccess } from '../auth/decide-access.ts';
import { effectivePermission, least, type ObjectRef, type Permission } from '../auth/permission.ts';
import { NotFoundError } from '../errors.ts';
import { permissionOn, unknownActor, verbHere } from './find-actor.ts';

export interface PermittedAlias {
  readonly alias: Alias;
  /** What its map gives the caller; where the actor counts too, the lesser of both. */
  readonly permission: Permission;
}

export async function findAlias(request: FastifyRequest): Promise<PermittedAlias> {
  const { alias, permission } = await readAlias(request);
  const refusal = decideAccess(request.caller, { kind: 'alias', permission }, verbHere(request));
  if (refusal) throw refusal;
  return { alias, permission };
}

/** For its nonces, which open the actor: what the caller may do with that counts as well. */
export async function findAliasAndActor(request: FastifyRequest): Promise<PermittedAlias> {
  const { caller, server } = request;
  const { alias, permission } = await readAlias(request);
  const verb = verbHere(request);
  const shared = await server.services.actors.getShared(alias.tenant, alias.actorId, caller.user);
  if (!shared) throw unknownActor(caller, verb, alias.actorId);
  const behind = permissionOn(shared, caller.user);
  const refusal = decideAccess(caller, { kind: 'alias', permission, behind }, verb);
  if (refusal) throw refusal;
  return { alias, permission: least(permission, behind) };
}

export function objectOfAlias({ tenant, alias }: Alias): ObjectRef {
  return { kind: 'alias', tenant, id: alias };
}

export function unknownAlias(name: string): NotFoundError {
  return new NotFoundError('alias.not_found', `No alias found: ${name}.`);
}

async function readAlias({ params, caller, server }: FastifyRequest): Promise<PermittedAlias> {
  const { alias: name } = params as { readonly alias: string };
  const { aliases, permissions } = server.services;
  const object = { kind: 'alias', tenant: caller.tenant, id: name } as const;
  const [alias, grants] = await Promise.all([aliases.get(caller.tenant, name), permissions.of(object, caller.user)]);
  if (!alias) throw unknownAlias(name);
  return { alias, permission: effectivePermission(grants, alias.owner === caller.user) };
}
