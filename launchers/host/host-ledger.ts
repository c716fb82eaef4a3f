/**
 * The ledger of a user on a shared file system, through a host: the same entries as `src/launcher/ledger.ts` makes on this
 * machine, and the same rules. All of it is the user's own; what they do there is their own harm.
 */

import { attemptKey, parseAttemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import {
  closedEntryMs,
  closingTarget,
  isOver,
  type Ledger,
  maxRecordBytes,
  ownersRecord,
  parseMarker,
  sweepEveryMs,
} from '../../src/launcher/ledger.ts';
import { rarely } from '../../src/lib/rarely.ts';
import type { Host } from './host.ts';

export interface HostLedger extends Ledger {
  /** Which submission an attempt was last handed over with; nothing where it was not. */
  readSubmission(ref: AttemptRef): Promise<string | undefined>;
  /** Written before it is handed over, so that a look-up finds what became of it. */
  noteSubmission(ref: AttemptRef, submission: string): Promise<void>;
  /** A line for each start of an attempt; beside the entry, since the program could write in it. */
  startersPath(ref: AttemptRef): string;
  readStarters(ref: AttemptRef): Promise<readonly string[]>;
}

/** @param dir made where it is missing. */
export function createHostLedger(host: Host, dir: string): HostLedger {
  const home = (ref: AttemptRef): string => `${dir}/${attemptKey(ref)}`;
  const entryPath = (ref: AttemptRef): string => `${home(ref)}/entry`;

  const startersPath = (ref: AttemptRef): string => `${home(ref)}/starters`;

  async function readText(path: string): Promise<string | undefined> {
    const [part] = await host.readMany([{ path, offset: 0, length: maxRecordBytes }]);
    return part && part.size <= maxRecordBytes ? Buffer.from(part.bytes).toString() : undefined;
  }

  async function openEntry(ref: AttemptRef, notAfter: Date): Promise<void> {
    const there = await host.list(home(ref));
    if (there?.includes('entry') === true) return;
    await host.makeDirectory(home(ref), 0o700);
    if (there?.includes('not-after') !== true) {
      const seconds = `${Math.floor(notAfter.getTime() / 1_000)}\n`;
      await host.put(`${home(ref)}/not-after`, Buffer.from(seconds));
    }
    await host.makeDirectory(entryPath(ref), 0o700);
  }

  async function readMarker(ref: AttemptRef) {
    const [target] = await host.readLinks([`${entryPath(ref)}/start`]);
    return parseMarker(target);
  }

  return {
    entryPath,
    open: openEntry,
    readMarker,
    async close(ref, reason) {
      await openEntry(ref, new Date(Date.now() + closedEntryMs));
      await host.link(`${entryPath(ref)}/start`, closingTarget(reason));
      return (await readMarker(ref)).kind === 'closed' ? 'closed' : 'started';
    },
    async readEnd(ref) {
      const text = await readText(`${entryPath(ref)}/end`);
      if (text === undefined) return undefined;
      return ownersRecord(text, await readMarker(ref));
    },
    noteCancel: async (ref) => await host.put(`${home(ref)}/cancelled`, new Uint8Array()),
    wasCancelled: async (ref) => (await readText(`${home(ref)}/cancelled`)) !== undefined,
    readSubmission: async (ref) => (await readText(`${home(ref)}/submission`))?.trim(),
    noteSubmission: async (ref, submission) =>
      await host.put(`${home(ref)}/submission`, Buffer.from(`${submission}\n`)),
    startersPath,
    readStarters: async (ref) => (await readText(startersPath(ref)))?.split('\n') ?? [],
    sweep: rarely(sweepEveryMs, async (now, findDead) => {
      const refs = ((await host.list(dir)) ?? []).map(parseAttemptKey).filter((ref) => ref !== undefined);
      const reads = refs.map((ref) => ({ path: `${home(ref)}/not-after`, offset: 0, length: 20 }));
      const parts = await host.readMany(reads);
      const over = refs.filter((_, index) =>
        isOver(Buffer.from(parts[index]?.bytes ?? []).toString() || undefined, now),
      );
      for (const ref of await findDead(over)) await host.removeTree(home(ref));
    }),
  };
}
