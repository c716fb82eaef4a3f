/**
 * Finds again what a crash left: leases that ran out, containers still to be removed, and things that carry our id and
 * belong to nothing. Runs at the start and periodically; every step may be repeated and may be done by several at once.
 * A launcher may never answer, by what one user has done to it; nobody but their own leftovers waits for that.
 */

import pLimit from 'p-limit';
import type { Actor } from '../actors/actor.ts';
import type { ActorStore } from '../actors/actor-store.ts';
import { asError } from '../errors.ts';
import type { Claimed } from '../executions/execution.ts';
import type { AttemptRef, FindDead, Launcher } from '../launcher/launcher.ts';
import type { LauncherEntry, LauncherTable } from '../launcher/launcher-table.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { CleanupEntry, Mailbox } from '../mailbox/mailbox.ts';
import type { Logger } from '../observability/logger.ts';
import type { RunOutcome } from './run-execution.ts';

export interface Recovery {
  /** Takes over every execution of the actor whose lease ran out. */
  adopt(actor: ActorRef): Promise<void>;
  /** Begins to remove what settled executions of the actor left, unless that is under way; resolves when it has begun. */
  clean(actor: ActorRef): Promise<void>;
  /** Removes from every launcher what belongs to no execution that lives. */
  sweep(): Promise<void>;
  /** Resolves when every adopted execution has been left or settled. */
  idle(): Promise<void>;
}

export interface RecoveryOptions {
  readonly actors: Pick<ActorStore, 'refs'>;
  readonly mailbox: Pick<Mailbox, 'adopt' | 'cleanups' | 'cleanupDone' | 'liveIds'>;
  readonly launchers: LauncherTable;
  readonly run: (entry: LauncherEntry, claimed: Claimed, actor: Actor) => Promise<RunOutcome>;
  readonly nextWorkerId: () => string;
  readonly leaseMs: number;
  readonly log: Logger;
  readonly leaving: AbortSignal;
}

/** Actors of which something is removed at once, of each place. */
const mostCleaned = 16;
/** Strays that the log names each. A user can make any number of directories, and is to fill no log with them. */
const mostNamed = 20;

export function createRecovery(options: RecoveryOptions): Recovery {
  const { mailbox, launchers, log } = options;
  const places = launchers.entries.map((entry) => entry.place);
  const adopted = new Set<Promise<void>>();
  const cleaning = new Set<string>();
  const cleaners = new Map(
    launchers.entries.map(({ place, launcher }) => [place, { launcher, turn: pLimit(mostCleaned) }]),
  );

  function goOn(claimed: Claimed, actor: Actor): void {
    const entry = launchers.byPlace(claimed.intent?.launcher ?? '');
    if (!entry) return;
    log.info({ executionId: claimed.lease.executionId, launcher: entry.place }, 'execution adopted');
    const work = options
      .run(entry, claimed, actor)
      .catch((thrown: unknown) => log.warn({ err: asError(thrown) }, 'adopted execution left after an error'))
      .then(() => {
        adopted.delete(work);
      });
    adopted.add(work);
  }

  function cleanAt(place: string, actor: ActorRef, cleanups: readonly CleanupEntry[]): void {
    const cleaner = cleaners.get(place);
    const key = `${place} ${actor.tenant}:${actor.actorId}`;
    if (!cleaner || cleaning.has(key)) return;
    cleaning.add(key);
    void cleaner
      .turn(async () => await removeAll(cleaner.launcher, actor, cleanups))
      .catch((thrown: unknown) => {
        const err = asError(thrown);
        if (!options.leaving.aborted)
          log.warn({ ...actor, launcher: place, err }, 'leftovers not removed; it is repeated');
      })
      .finally(() => cleaning.delete(key));
  }

  async function removeAll(launcher: Launcher, actor: ActorRef, cleanups: readonly CleanupEntry[]): Promise<void> {
    for (const cleanup of cleanups) {
      if (options.leaving.aborted) return;
      await launcher.remove(cleanup);
      await mailbox.cleanupDone(actor, cleanup);
    }
  }

  async function liveExecutions(): Promise<ReadonlySet<string>> {
    const refs = await options.actors.refs();
    return new Set((await Promise.all(refs.map((ref) => mailbox.liveIds(ref)))).flat());
  }

  /**
   * Who lives is read after what is judged by it was found, so that what was posted in between is no stray; and once,
   * however much was found, as it is two commands for every actor there is.
   */
  function deadFinder(): FindDead {
    let live: ReadonlySet<string> = new Set();
    return async (found) => {
      const unknown = found.filter(({ executionId }) => !live.has(executionId));
      if (unknown.length === 0) return [];
      live = await liveExecutions();
      return unknown.filter(({ executionId }) => !live.has(executionId));
    };
  }

  function tellRemoved(place: string, removed: readonly AttemptRef[]): void {
    if (removed.length > mostNamed) log.warn({ launcher: place, count: removed.length }, 'strays removed');
    else for (const ref of removed) log.warn({ ...ref, launcher: place }, 'stray removed');
  }

  return {
    async adopt(actor) {
      while (!options.leaving.aborted) {
        const { leaseMs } = options;
        const outcome = await mailbox.adopt(actor, { workerId: options.nextWorkerId(), leaseMs, places });
        if (outcome.kind === 'none') return;
        if (outcome.kind === 'adopted') goOn(outcome.claimed, outcome.actor);
        else log.info({ executionId: outcome.executionId }, 'message returned to its place');
      }
    },

    async clean(actor) {
      for (const [place, cleanups] of Map.groupBy(await mailbox.cleanups(actor), ({ launcher }) => launcher)) {
        cleanAt(place, actor, cleanups);
      }
    },

    async sweep() {
      for (const { launcher, place } of launchers.entries) {
        try {
          tellRemoved(place, await launcher.sweep(deadFinder(), options.leaving));
        } catch (thrown) {
          if (options.leaving.aborted) return;
          log.warn({ launcher: place, err: asError(thrown) }, 'sweep failed; it is repeated');
        }
      }
    },

    async idle() {
      await Promise.all(adopted);
    },
  };
}
