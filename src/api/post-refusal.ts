/** Why a message was not taken, in the words of an answer. */

import { noAccess } from '../auth/decide-access.ts';
import { ConflictError, QuotaError, type ServiceError } from '../errors.ts';
import type { PostOutcome } from '../mailbox/posting.ts';

export type RefusedPost = Exclude<PostOutcome, { readonly executionId: string }>['kind'];

/** @param maxWaiting `messages.max_waiting`: how many may wait */
export function postRefusal(kind: RefusedPost, actorId: string, maxWaiting: number): ServiceError {
  switch (kind) {
    case 'full':
      return new QuotaError(
        'mailbox.full',
        `Mailbox of actor "${actorId}" is full: ${maxWaiting} messages wait, the limit of messages.max_waiting; purge ` +
          'it, or send again later',
      );
    case 'conflict': {
      const why = 'it was used before with another body, content type or query';
      return new ConflictError('request.idempotency_conflict', `Idempotency-Key is refused: ${why}; take a new one`);
    }
    case 'forbidden':
      return noAccess('actor');
    case 'gone':
      return new ConflictError('actor.shutting_down', `Actor "${actorId}" is being deleted and takes no messages`);
    default:
      throw new Error(`Execution id of a message for actor "${actorId}" was used before: ids are not unique`);
  }
}
