/**
 * Which actors of a tenant may owe the history something, without asking each of them.
 *
 * Every script that owes something says so in the news, except a post behind messages that wait. So an actor is out of
 * here once nothing of it is owed and nothing waits, and news brings it back. A tenant is looked at whole the first time,
 * and again after news may have been missed.
 */

import type { ActorStore } from '../actors/actor-store.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { News, NewsItem } from '../mailbox/news.ts';

export interface Owing {
  hear(item: NewsItem): void;
  /** All that may owe something that was answered before the call. One call at a time for a tenant. */
  of(tenant: string): Promise<readonly ActorRef[]>;
  /** What these owed was written: those that owe no more are left out from now on. */
  settle(tenant: string, actors: readonly ActorRef[]): Promise<void>;
}

export interface OwingOptions {
  readonly actors: Pick<ActorStore, 'refs'>;
  readonly mailbox: Pick<Mailbox, 'load'>;
  readonly news: Pick<News, 'caughtUp'>;
}

export function createOwing({ actors, mailbox, news }: OwingOptions): Owing {
  /** Of tenants that were looked at whole. */
  const perTenant = new Map<string, Map<string, ActorRef>>();

  return {
    hear({ kind, tenant, actorId }) {
      if (kind === 'missed') perTenant.clear();
      else perTenant.get(tenant)?.set(actorId, { tenant, actorId });
    },

    async of(tenant) {
      await news.caughtUp();
      const known = perTenant.get(tenant);
      if (known) return [...known.values()];
      // News from now on is kept, since an actor may owe something again after it was looked at.
      const all = new Map<string, ActorRef>();
      perTenant.set(tenant, all);
      try {
        for (const actor of await actors.refs(tenant)) all.set(actor.actorId, actor);
        return [...all.values()];
      } catch (thrown) {
        if (perTenant.get(tenant) === all) perTenant.delete(tenant);
        throw thrown;
      }
    },

    async settle(tenant, settled) {
      const known = perTenant.get(tenant);
      if (!known) return;
      await Promise.all(
        settled.map(async (actor) => {
          // First out, then asked: what is owed meanwhile brings it back by news.
          known.delete(actor.actorId);
          const { waiting, outbox } = await mailbox.load(actor);
          if (waiting > 0 || outbox > 0) known.set(actor.actorId, actor);
        }),
      );
    },
  };
}
