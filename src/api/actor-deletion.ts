/** Ends everything of an actor and then the actor itself. */

import type { ActorRef } from '../mailbox/keys.ts';
import type { Services } from './services.ts';

/** As long as the original waits for workers (contract §14). */
const patienceMs = 20_000;

/** Longest pause between two looks; news of an end makes it shorter. */
const lookEveryMs = 500;

/** Messages ended in one step, so that no script holds Redis up. */
const purgeAtOnce = 1_000;

/**
 * `versions` are those of the record that may be deleted; none given is any.
 *
 * @returns false when something still runs after 20 seconds: then it takes no more messages and calling again goes on.
 */
export async function deleteActor(
  services: Pick<Services, 'actors' | 'mailbox' | 'news'>,
  actor: ActorRef,
  closing: AbortSignal,
  versions?: readonly number[],
): Promise<boolean | 'stale'> {
  const { actors, mailbox, news } = services;
  const deadline = performance.now() + patienceMs;
  /** Now, so that who asks next finds it gone; the outbox does it too, should this process die first. */
  const release = async (): Promise<true> => {
    await actors.release(actor);
    return true;
  };
  const first = await actors.remove(actor, versions);
  if (first === 'stale') return 'stale';
  if (first !== 'busy') return await release();
  for (;;) {
    using change = news.next(
      (item) => item.actorId === actor.actorId && item.tenant === actor.tenant && item.kind === 'ended',
      lookEveryMs,
      closing,
    );
    await purge(mailbox, actor);
    for (const executionId of await mailbox.heldIds(actor)) await mailbox.cancel(actor, executionId, true);
    if ((await actors.remove(actor)) !== 'busy') return await release();
    if (performance.now() >= deadline || closing.aborted) return false;
    // A server that closes looks once more and answers.
    await change.come.catch(() => undefined);
  }
}

/** Ends all messages that wait now; not those that come meanwhile, or it might never end. */
export async function purge(mailbox: Pick<Services['mailbox'], 'depth' | 'purge'>, actor: ActorRef): Promise<void> {
  let left = await mailbox.depth(actor);
  while (left > 0) {
    const { ended, waiting } = await mailbox.purge(actor, Math.min(left, purgeAtOnce));
    left = waiting === 0 ? 0 : left - ended;
  }
}
