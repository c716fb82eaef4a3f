/** The actor a path names, by its id or by an alias, for what the request wants to do with it (contract §§4, 5.4). */

import type { FastifyRequest } from 'fastify';
import type { Actor } from '../actors/actor.ts';
import type { SharedActor } from '../actors/actor-store.ts';
import type { Caller } from '../auth/caller.ts';
import { decideAccess, type Verb, verbOf } from '../auth/decide-access.ts';
import { effectivePermission, type ObjectRef, type Permission } from '../auth/permission.ts';
import { isAdmin } from '../auth/roles.ts';
import { NotFoundError } from '../errors.ts';
import { isId } from '../lib/ids.ts';
import type { ActorRef } from '../mailbox/keys.ts';

/** Another tenant's actor is as unknown as one that never was; one that the caller may not use so is refused. */
export async function findActor(request: FastifyRequest): Promise<Actor> {
  return (await findShared(request, await actorRefOf(request), verbHere(request))).actor;
}

export interface PermittedActor {
  readonly actor: Actor;
  /** What the map gives the caller. */
  readonly permission: Permission;
}

/** An actor by its id, which the caller has to be allowed to use so. */
export async function findShared(
  request: FastifyRequest,
  { tenant, actorId }: ActorRef,
  verb: Verb,
): Promise<PermittedActor> {
  const { caller } = request;
  const shared = await request.server.services.actors.getShared(tenant, actorId, caller.user);
  if (!shared) throw unknownActor(caller, verb, actorId);
  const permission = permissionOn(shared, caller.user);
  const refusal = decideAccess(caller, { kind: 'actor', permission }, verb);
  if (refusal) throw refusal;
  return { actor: shared.actor, permission };
}

/** An actor that is not there: only administrators are told that it is so, others that nothing is known of it. */
export function unknownActor(
  { roles, tenant }: Pick<Caller, 'roles' | 'tenant'>,
  verb: Verb,
  id: string,
): NotFoundError {
  if (!isAdmin(roles)) return new NotFoundError('actor.unknown', `Actor ${tenant}_${id} does not exist`);
  const word = verb === 'read' ? 'identifier' : 'id';
  return new NotFoundError('actor.not_found', `No actor found with ${word}: ${id}.`);
}

export function permissionOn({ actor, grants }: SharedActor, user: string): Permission {
  return effectivePermission(grants, actor.owner === user);
}

/** The actor a parameter names, which the caller has to be allowed to read. */
export async function findActorNamed(request: FastifyRequest, name: string): Promise<Actor> {
  return (await findShared(request, await refNamed(request, name), 'read')).actor;
}

/** The actor a path names, which there may not be. An alias always leads to one that was there when it was made. */
export async function actorRefOf(request: FastifyRequest): Promise<ActorRef> {
  const { actor_id: name } = request.params as { readonly actor_id: string };
  return await refNamed(request, name);
}

async function refNamed({ caller, server }: FastifyRequest, name: string): Promise<ActorRef> {
  if (isId(name)) return { tenant: caller.tenant, actorId: name };
  const alias = await server.services.aliases.get(caller.tenant, name);
  if (!alias) throw new NotFoundError('actor.not_found', `Actor with identifier '${name}' not found`);
  return { tenant: caller.tenant, actorId: alias.actorId };
}

/** What the request wants to do with what its path names. */
export function verbHere({ method, routeOptions }: FastifyRequest): Verb {
  return verbOf(method, routeOptions.url ?? '');
}

export function refOf(actor: Actor): ActorRef {
  return { tenant: actor.tenant, actorId: actor.id };
}

export function objectOf(actor: Actor): ObjectRef {
  return { kind: 'actor', tenant: actor.tenant, id: actor.id };
}
