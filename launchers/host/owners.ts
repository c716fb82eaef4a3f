/**
 * Who has had something run here: kept on the cluster, so that whoever sweeps after a crash knows where to look. Nobody is
 * ever forgotten, so those of whom nothing is left are looked at seldom, a few at a time, and let go of at once: their
 * number costs neither connections nor time.
 */

import { ForbiddenError, InvalidError } from '../../src/errors.ts';
import type { AttemptRef, LauncherLog } from '../../src/launcher/launcher.ts';
import type { Host } from './host.ts';

export interface Owners {
  /** Before anything of theirs is made here. */
  note(owner: string): Promise<void>;
  /** Something of theirs was done here: the next sweep looks at them. */
  expect(owner: string): void;
  list(): Promise<readonly string[]>;
  /** Whom a sweep is to look at: all with something here that this process knows of, and a few of the others. */
  due(): Promise<readonly string[]>;
  /** Looks at one. Trouble with them is told to the log, and no trouble of the others. @returns what was removed. */
  look(owner: string, signal: AbortSignal, action: () => Promise<Found>): Promise<readonly AttemptRef[]>;
}

/** What a look at an owner came to. */
export interface Found {
  readonly removed: readonly AttemptRef[];
  /** Whether anything is left that the next sweep is to look at. */
  readonly isLeft: boolean;
}

export interface OwnersOptions {
  /** As the service account. */
  readonly host: Host;
  readonly directory: string;
  /** Closes the connection of an owner that nobody uses. */
  readonly letGo: (owner: string) => Promise<void>;
  readonly log: LauncherLog;
}

/** Between two looks at an owner of whom nothing is left, or who has left. */
const restMs = 3_600_000;
/** Most of those looked at by one sweep. */
const mostOthers = 10;

export function createOwners({ host, directory, letGo, log }: OwnersOptions): Owners {
  const written = new Set<string>();
  const busy = new Set<string>();
  /** When each of the others is looked at again; who is not in it never was. */
  const nextMs = new Map<string, number>();

  async function list(): Promise<readonly string[]> {
    return (await host.list(directory)) ?? [];
  }

  return {
    async note(owner) {
      // Before what is awaited: a look that is under way does not overlook it.
      busy.add(owner);
      if (written.has(owner)) return;
      await host.makeDirectory(directory, 0o700);
      await host.put(`${directory}/${owner}`, new Uint8Array());
      written.add(owner);
    },
    expect: (owner) => void busy.add(owner),
    list,
    async due() {
      const all = await list();
      const next = (owner: string): number => nextMs.get(owner) ?? 0;
      const others = all
        .filter((owner) => !busy.has(owner) && next(owner) <= Date.now())
        .toSorted((one, other) => next(one) - next(other));
      return [...all.filter((owner) => busy.has(owner)), ...others.slice(0, mostOthers)];
    },
    async look(owner, signal, action) {
      const wasBusy = busy.delete(owner);
      try {
        const { removed, isLeft } = await action();
        nextMs.set(owner, Date.now() + restMs);
        if (isLeft) busy.add(owner);
        // A connection that was made for this look alone; any other ends when it has been idle for long enough.
        if (!wasBusy && !busy.has(owner)) await letGo(owner);
        return removed;
      } catch (thrown) {
        signal.throwIfAborted();
        const hasLeft = thrown instanceof ForbiddenError || thrown instanceof InvalidError;
        nextMs.set(owner, Date.now() + (hasLeft ? restMs : 0));
        if (wasBusy && !hasLeft) busy.add(owner);
        log.warn({ err: thrown, owner }, 'owner not swept, which is repeated; the others are');
        return [];
      }
    },
  };
}
