/** The actor a path names, or the contract's words for why there is none (§1.4). */

import type { FastifyRequest } from 'fastify';
import type { Actor } from '../actors/actor.ts';
import { NotFoundError } from '../errors.ts';
import { isId } from '../lib/ids.ts';
import type { ActorRef } from '../mailbox/keys.ts';

/** Another tenant's actor is as unknown as one that never was. */
export async function findActor(request: FastifyRequest): Promise<Actor> {
  const { actor_id: actorId } = request.params as { readonly actor_id: string };
  const { caller, server } = request;
  if (!isId(actorId)) throw new NotFoundError('actor.not_found', `Actor with identifier '${actorId}' not found`);
  const actor = await server.services.actors.get(caller.tenant, actorId);
  return actor ?? unknownActor(request, actorId);
}

export function unknownActor({ method }: FastifyRequest, actorId: string): never {
  const reads = method === 'GET' || method === 'HEAD';
  throw new NotFoundError('actor.not_found', `No actor found with ${reads ? 'identifier' : 'id'}: ${actorId}.`);
}

export function refOf(actor: Actor): ActorRef {
  return { tenant: actor.tenant, actorId: actor.id };
}
