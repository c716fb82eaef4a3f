/** Whether an actor may be linked to another (contract §7.3, validate_link). */

import type { FastifyRequest } from 'fastify';
import type { Actor } from '../actors/actor.ts';
import type { ActorDraft } from '../actors/actor-record.ts';
import { decideAccess } from '../auth/decide-access.ts';
import { InvalidError } from '../errors.ts';
import { isId } from '../lib/ids.ts';
import { permissionOn } from './find-actor.ts';
import type { Services } from './services.ts';

/** Links that are followed in the search for a circle; one that is longer is ended by the events themselves. */
const mostLinks = 1_000;

/** Throws `InvalidError` unless the caller may send the target messages, and the link closes no circle. */
export async function checkLink(draft: ActorDraft, request: FastifyRequest, current?: Actor): Promise<void> {
  if (draft.link === '') return;
  const { services } = request.server;
  const target = await findTarget(services, draft.tenant, draft.link);
  if (target?.id === draft.id) throw invalid('Invalid link parameter. An actor cannot link to itself.');
  if (!target || !(await mayExecute(request, target))) {
    const rule = 'The link must be the id or an alias of an actor on which you have the permission EXECUTE.';
    throw invalid(`Invalid link parameter; unable to retrieve linked actor data. ${rule}`);
  }
  // Nothing can lead back to an actor that is only being made.
  if (current && (await leadsTo(services, target, draft.id))) {
    throw invalid('Error: this update would result in a cycle of linked actors.');
  }
}

async function mayExecute({ caller, server }: FastifyRequest, { tenant, id }: Actor): Promise<boolean> {
  const shared = await server.services.actors.getShared(tenant, id, caller.user);
  if (!shared) return false;
  return !decideAccess(caller, { kind: 'actor', permission: permissionOn(shared, caller.user) }, 'execute');
}

async function leadsTo(services: LinkServices, from: Actor, actorId: string): Promise<boolean> {
  const seen = new Set<string>();
  let actor: Actor | undefined = from;
  while (actor && actor.link !== '' && !seen.has(actor.id) && seen.size < mostLinks) {
    seen.add(actor.id);
    actor = await findTarget(services, actor.tenant, actor.link);
    if (actor?.id === actorId) return true;
  }
  return false;
}

type LinkServices = Pick<Services, 'actors' | 'aliases'>;

async function findTarget({ actors, aliases }: LinkServices, tenant: string, link: string): Promise<Actor | undefined> {
  const actorId = isId(link) ? link : (await aliases.get(tenant, link))?.actorId;
  return actorId === undefined ? undefined : await actors.get(tenant, actorId);
}

function invalid(message: string): InvalidError {
  return new InvalidError('actor.invalid', message);
}
