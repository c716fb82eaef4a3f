/**
 * Start markers and end records of a launcher's attempts. Formats: `native/README.md`.
 *
 *     <dir>/<executionId>-<attempt>/not-after   seconds; after it nothing starts, and once its attempt lives no more
 *                                               the entry is swept
 *                                  /cancelled   somebody asked for its end after it had started
 *                                  /entry/      what the helper sees: start (the marker), end (the end record)
 *
 * The container's user can write in `entry/`, so nothing in it is followed or trusted beyond its own execution.
 */

import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rarely } from '../lib/rarely.ts';
import { openRegular } from '../lib/regular-file.ts';
import { attemptKey, parseAttemptKey } from './attempt-key.ts';
import { writeFailure } from './disk-full.ts';
import { type EndRecord, parseEndRecord } from './end-record.ts';
import type { AttemptRef, FindDead } from './launcher.ts';

/** Who decided about the start of an attempt. */
export type StartMarker =
  | { readonly kind: 'free' }
  /** Somebody decided that nothing may start. */
  | { readonly kind: 'closed'; readonly reason: string }
  /** Its program was started by `owner`, a name drawn by the helper. */
  | { readonly kind: 'started'; readonly owner: string };

export interface Ledger {
  /** Makes the entry of an attempt; one that is there is kept, with its first `notAfter`. */
  open(ref: AttemptRef, notAfter: Date): Promise<void>;
  readMarker(ref: AttemptRef): Promise<StartMarker>;
  /** Decides that nothing may start, unless something has. Again says the same; an entry is made where there is none. */
  close(ref: AttemptRef, reason: string): Promise<'closed' | 'started'>;
  /** The end record of the marker's owner; nothing while it runs, and for a record of anybody else. */
  readEnd(ref: AttemptRef): Promise<EndRecord | undefined>;
  noteCancel(ref: AttemptRef): Promise<void>;
  wasCancelled(ref: AttemptRef): Promise<boolean>;
  /**
   * Removes entries whose time has passed, but for those of live attempts: a program that started in time may run on for
   * ever, and without its marker it would be taken for one that never started. Who lives is asked after the look: whatever
   * was there then had begun to live before. All have to be looked at, so it does so once in `sweepEveryMs`.
   */
  sweep(now: Date, findDead: FindDead): Promise<void>;
  /** The directory to mount for the helper. */
  entryPath(ref: AttemptRef): string;
}

/** For an entry that a close has to make: as long as the default `notAfter` of an attempt. */
export const closedEntryMs = 14 * 86_400_000;
/** Between two hosts' clocks an attempt may be refused later than we think. */
const clockSkewMs = 3_600_000;
/** To look at all entries may take minutes, and one that stays longer than it has to is a few small files. */
export const sweepEveryMs = 3_600_000;
const closedPrefix = 'closed:';
/** An end record has fifteen short lines; what is longer was not written by the helper. */
export const maxRecordBytes = 65_536;

/** @param target of the link; nothing where there is none. */
export function parseMarker(target: string | undefined): StartMarker {
  if (target === undefined) return { kind: 'free' };
  if (target.startsWith(closedPrefix)) return { kind: 'closed', reason: target.slice(closedPrefix.length) };
  return { kind: 'started', owner: target };
}

/** The end record, if the marker's owner wrote it: nobody else's counts. Read before the marker is. */
export function ownersRecord(text: string | undefined, marker: StartMarker): EndRecord | undefined {
  const record = text === undefined ? undefined : parseEndRecord(text);
  return marker.kind === 'started' && marker.owner === record?.owner ? record : undefined;
}

/** The target of a link that closes. */
export function closingTarget(reason: string): string {
  return `${closedPrefix}${reason}`;
}

/** @param notAfter as its file has it; what has none is never over. */
export function isOver(notAfter: string | undefined, now: Date): boolean {
  return Number(notAfter ?? Number.NaN) * 1_000 + clockSkewMs < now.getTime();
}

export function createLedger(dir: string): Ledger {
  const home = (ref: AttemptRef) => join(dir, attemptKey(ref));
  const entryPath = (ref: AttemptRef) => join(home(ref), 'entry');
  const markerPath = (ref: AttemptRef) => join(entryPath(ref), 'start');

  async function openEntry(ref: AttemptRef, notAfter: Date): Promise<void> {
    await mkdir(home(ref), { recursive: true, mode: 0o700 });
    const seconds = `${Math.floor(notAfter.getTime() / 1000)}\n`;
    await writeFile(join(home(ref), 'not-after'), seconds, { flag: 'wx' }).catch(returnOn('EEXIST', undefined));
    await mkdir(entryPath(ref)).catch(returnOn('EEXIST', undefined));
    const handle = await open(entryPath(ref), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      // Beside the umask: the helper runs as the container's user. The directory above keeps everybody else out.
      await handle.chmod(0o777);
    } finally {
      await handle.close();
    }
  }

  async function readMarker(ref: AttemptRef): Promise<StartMarker> {
    const target = await readlink(markerPath(ref)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      // No link: only a program that had started can have put something else in its place.
      if (error.code === 'EINVAL') return '';
      throw error;
    });
    return parseMarker(target);
  }

  /** No attempt is at fault for a full disk: its start, and its end, wait. */
  async function writing<T>(ref: AttemptRef, write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      throw writeFailure(error, `Ledger entry "${home(ref)}"`);
    }
  }

  return {
    entryPath,
    open: (ref, notAfter) => writing(ref, () => openEntry(ref, notAfter)),
    readMarker,
    async close(ref, reason) {
      await writing(ref, async () => {
        await openEntry(ref, new Date(Date.now() + closedEntryMs));
        await symlink(closingTarget(reason), markerPath(ref)).catch(returnOn('EEXIST', undefined));
      });
      // Read back: EEXIST may also be the answer to a repeated call of our own.
      return (await readMarker(ref)).kind === 'closed' ? 'closed' : 'started';
    },
    async readEnd(ref) {
      const text = await readBounded(join(entryPath(ref), 'end'));
      return ownersRecord(text, await readMarker(ref));
    },
    noteCancel: (ref) => writing(ref, () => writeFile(join(home(ref), 'cancelled'), '')),
    wasCancelled: (ref) => isThere(join(home(ref), 'cancelled')),
    sweep: rarely(sweepEveryMs, async (now, findDead) => {
      const over: AttemptRef[] = [];
      for (const name of await readdir(dir).catch(returnOn('ENOENT', []))) {
        const ref = parseAttemptKey(name);
        if (ref && isOver(await readBounded(join(dir, name, 'not-after')), now)) over.push(ref);
      }
      for (const ref of await findDead(over)) await rm(home(ref), { recursive: true, force: true, maxRetries: 3 });
    }),
  };
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(() => true, returnOn('ENOENT', false));
}

/** The text of a regular file of usual size; nothing for anything else. */
async function readBounded(path: string): Promise<string | undefined> {
  const handle = await openRegular(path);
  if (handle === undefined) return undefined;
  await using _ = handle;
  return (await handle.stat()).size <= maxRecordBytes ? await readFile(handle, 'utf8') : undefined;
}

function returnOn<T>(code: string, value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === code) return value;
    throw error;
  };
}
