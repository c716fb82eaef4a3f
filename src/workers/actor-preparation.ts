/**
 * Makes the image of a new revision startable and pins its digest, right after registration; messages wait for it. A bad
 * image puts the actor in ERROR with a sentence; any other trouble, as that of a registry that is away or of a disk that is
 * full, makes it wait, and it is tried again.
 */

import type { Actor } from '../actors/actor.ts';
import type { ActorStore } from '../actors/actor-store.ts';
import { asError } from '../errors.ts';
import type { LauncherEntry } from '../launcher/launcher-table.ts';
import { pauseMs } from '../lib/backoff.ts';
import { optional } from '../lib/optional.ts';
import type { Logger } from '../observability/logger.ts';
import { isImagesFault } from './image-fault.ts';
import { userOf } from './launch-spec.ts';
import { createPrepareProgress } from './prepare-progress.ts';
import { waitFor } from './wait-for.ts';

export interface ActorPreparation {
  /** Starts the preparation, unless it is under way or it is too early to try again. */
  begin(actor: Actor, entry: LauncherEntry): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface ActorPreparationOptions {
  readonly actors: Pick<ActorStore, 'markReady' | 'markError' | 'markWaiting'>;
  readonly log: Logger;
  readonly leaving: AbortSignal;
}

interface Attempt {
  readonly revision: number;
  count: number;
  notBefore: number;
  running: boolean;
}

const retryPause = { firstMs: 1_000, mostMs: 60_000 };

export function createActorPreparation(options: ActorPreparationOptions): ActorPreparation {
  const attempts = new Map<string, Attempt>();
  const underWay = new Set<Promise<void>>();

  async function prepare(actor: Actor, entry: LauncherEntry, attempt: Attempt): Promise<void> {
    const ref = { tenant: actor.tenant, actorId: actor.id };
    const since = new Date();
    const progress = createPrepareProgress(async (cause) => {
      const next = 'It runs once the image is there';
      await options.actors.markWaiting(ref, actor.revision, { cause, since, owner: 'service', next });
    });
    const { image: name, tenant, owner } = actor;
    const image = { name, tenant, owner, ...optional('user', userOf(actor)) };
    try {
      const prepared = await entry.launcher.prepare(image, options.leaving, progress.tell);
      await progress.end();
      const marked = await options.actors.markReady(ref, actor.revision, prepared.digest);
      if (marked === 'marked') options.log.info({ ...ref, digest: prepared.digest }, 'actor ready');
      attempts.delete(actor.id);
    } catch (thrown) {
      await progress.end();
      if (options.leaving.aborted) return;
      await noteTrouble(actor, asError(thrown), attempt);
    }
  }

  async function noteTrouble(actor: Actor, error: Error, attempt: Attempt): Promise<void> {
    const ref = { tenant: actor.tenant, actorId: actor.id };
    options.log.warn({ ...ref, err: error }, 'actor not prepared');
    if (isImagesFault(error)) {
      await options.actors.markError(ref, actor.revision, error.message);
      return;
    }
    await options.actors.markWaiting(ref, actor.revision, waitFor(error, { since: actor.wait?.since }));
    attempt.count += 1;
    attempt.notBefore = Date.now() + pauseMs(attempt.count, retryPause);
  }

  function attemptOf(actor: Actor): Attempt {
    const known = attempts.get(actor.id);
    if (known?.revision === actor.revision) return known;
    const fresh: Attempt = { revision: actor.revision, count: 0, notBefore: 0, running: false };
    attempts.set(actor.id, fresh);
    return fresh;
  }

  return {
    begin(actor, entry) {
      const attempt = attemptOf(actor);
      if (attempt.running || Date.now() < attempt.notBefore) return;
      attempt.running = true;
      const work = prepare(actor, entry, attempt)
        .catch((thrown: unknown) => options.log.warn({ err: asError(thrown) }, 'preparation could not be noted'))
        .finally(() => {
          attempt.running = false;
          underWay.delete(work);
        });
      underWay.add(work);
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}
