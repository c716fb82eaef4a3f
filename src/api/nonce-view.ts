/** A nonce as clients see it (contract §7.12). */

import { type CountedNonce, remainingUses } from '../auth/nonce.ts';
import type { Links } from './links.ts';
import { type AbsentTimes, type Attributes, renderLastTime, renderTime } from './wire.ts';

export interface NonceViewOptions {
  readonly links: Links;
  /** Who sees the id has the nonce. */
  readonly showsId: boolean;
  readonly absentTimes: AbsentTimes;
}

export function renderNonce(nonce: CountedNonce, { links, showsId, absentTimes }: NonceViewOptions): Attributes {
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
    last_use_time: renderLastTime(nonce.lastUseTime, absentTimes),
  };
}
