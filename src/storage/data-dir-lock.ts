/**
 * One `abaco up` per data directory: the write lock of an empty SQLite file in it, since Node has no locks of files of its
 * own. The system gives it to one process, whatever the order they ask in, and takes it back when that one ends, however
 * it ends. So there is nothing of a dead one to judge and clear away, and the file stays.
 */

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { asError, ConflictError } from '../errors.ts';
import { cannotLock } from './data-directory.ts';

/** Held for as long as this value is kept, or until its release. */
export interface DataDirLock {
  release(): void;
}

/** SQLITE_BUSY, also with more said in its upper bytes. */
const busy = 5;

/** Refuses with `service.locked` while another one holds the directory; where it cannot be locked, with ConfigError. */
export function lockDataDir(dataDir: string): DataDirLock {
  let file: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(join(dataDir, 'lock.sqlite'), { timeout: 0 });
    file = opened;
    // Nothing is ever written, so no journal is wanted, which a killed process would leave behind.
    file.exec('PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE');
    return { release: () => opened.close() };
  } catch (thrown) {
    file?.close();
    throw isBusy(thrown) ? held(dataDir) : cannotLock(dataDir, reasonOf(thrown, dataDir));
  }
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && (Number(thrown.errcode) & 0xff) === busy;
}

/** SQLite does not say why it cannot open a file; most often nothing may be written in the directory. */
function reasonOf(thrown: unknown, dataDir: string): string {
  try {
    accessSync(dataDir, constants.W_OK | constants.X_OK);
    return asError(thrown).message;
  } catch (denied) {
    return asError(denied).message;
  }
}

function held(dataDir: string): ConflictError {
  return new ConflictError(
    'service.locked',
    `Data directory "${dataDir}" is held by another process: stop that one, or give this one its own with --data-dir`,
  );
}
