/** Messages are sent where the limits of their user and tenant leave room for them. */

import type { QuotaError } from '../errors.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { IdempotencyRef } from '../mailbox/posting.ts';
import { planAdmission } from './plan-admission.ts';
import type { Services } from './services.ts';

export interface Sendable {
  readonly idempotency?: IdempotencyRef;
}

export interface SentInRoom<Result> {
  readonly result: Result;
  /** How many were posted by it. */
  readonly posted: number;
}

/**
 * Calls `send`, which posts the messages but for those that `refusalOf` gives a reason for. What repeats a message that was
 * taken is never among them: only where there is no room for all it is looked up.
 */
export async function sendInRoom<One extends Sendable, Result>(
  { rooms, mailbox }: Pick<Services, 'rooms' | 'mailbox'>,
  actor: ActorRef,
  messages: readonly One[],
  send: (refusalOf: (message: One) => QuotaError | undefined) => Promise<SentInRoom<Result>>,
): Promise<Result> {
  const room = await rooms.take(actor, messages.length);
  let posted = 0;
  try {
    const refused = new Set<One>();
    if (room.refusal) {
      const keys = messages.map(({ idempotency }) => idempotency?.key);
      const used = await mailbox.usedKeys(
        actor,
        messages.flatMap(({ idempotency }) => idempotency ?? []),
      );
      const admitted = planAdmission(keys, used, room.messages);
      for (const [index, message] of messages.entries()) if (!admitted[index]) refused.add(message);
    }
    const sent = await send((message) => (refused.has(message) ? room.refusal : undefined));
    ({ posted } = sent);
    return sent.result;
  } finally {
    room.close(posted);
  }
}
