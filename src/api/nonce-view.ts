/** A nonce as clients see it (contract §7.12). */

import { type CountedNonce, remainingUses } from '../auth/nonce.ts';
import type { Links } from './links.ts';
import { type Attributes, renderTime } from './wire.ts';

/** @param showsId - who sees the id has the nonce. */
export function renderNonce(nonce: CountedNonce, links: Links, showsId: boolean): Attributes {
  const { object } = nonce;
  const ofActor = object.kind === 'actor';
  return {
    _links: {
      self: links.nonce(object, showsId ? nonce.id : '-'),
      owner: links.profile(nonce.owner),
      // An alias stands in the path where the id does.
      actor: links.actor(object.id),
    },
    id: showsId ? nonce.id : null,
    actor_id: ofActor ? object.id : null,
    ...(ofActor ? {} : { alias: object.id }),
    api_server: links.apiServer,
    owner: nonce.owner,
    roles: nonce.roles,
    level: nonce.level,
    description: nonce.description,
    max_uses: nonce.maxUses,
    current_uses: nonce.uses,
    remaining_uses: remainingUses(nonce),
    create_time: renderTime(nonce.createTime),
    last_use_time: nonce.lastUseTime ? renderTime(nonce.lastUseTime) : 'None',
  };
}
