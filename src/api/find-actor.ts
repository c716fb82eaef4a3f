/** The actor a path names, or the contract's words for why there is none (§1.4). */

import type { FastifyRequest } from 'fastify';
import type { Actor } from '../actors/actor.ts';
import { mayUse, noAccess } from '../auth/access.ts';
import { NotFoundError } from '../errors.ts';
import { isId } from '../lib/ids.ts';
import type { ActorRef } from '../mailbox/keys.ts';

/** Another tenant's actor is as unknown as one that never was; another user's is refused. */
export async function findActor(request: FastifyRequest): Promise<Actor> {
  const { tenant, actorId } = actorRefOf(request);
  const actor = await request.server.services.actors.get(tenant, actorId);
  if (!actor) return unknownActor(request, actorId);
  if (!mayUse(request.caller, actor)) throw noAccess();
  return actor;
}

/** The actor a path names, which there may not be. */
export function actorRefOf({ params, caller }: FastifyRequest): ActorRef {
  const { actor_id: actorId } = params as { readonly actor_id: string };
  if (!isId(actorId)) throw new NotFoundError('actor.not_found', `Actor with identifier '${actorId}' not found`);
  return { tenant: caller.tenant, actorId };
}

export function unknownActor({ method }: FastifyRequest, actorId: string): never {
  const reads = method === 'GET' || method === 'HEAD';
  throw new NotFoundError('actor.not_found', `No actor found with ${reads ? 'identifier' : 'id'}: ${actorId}.`);
}

export function refOf(actor: Actor): ActorRef {
  return { tenant: actor.tenant, actorId: actor.id };
}
