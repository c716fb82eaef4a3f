/**
 * Who changed what: lines of JSON, appended to a file that the site rotates. The file is opened anew for each batch, so
 * one that was renamed away is followed by a new one. Nobody waits for it; what cannot be written is kept and tried
 * again, and the log says so.
 */

import { appendFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from './logger.ts';

export interface AuditLog {
  add(record: Readonly<Record<string, unknown>>): void;
  /** Writes what is left, in one try. */
  close(): Promise<void>;
}

/** Records kept while the file cannot be written; of more, the oldest are lost. */
const mostKept = 10_000;
const againMs = 1_000;

/** Readable by the service's account alone. */
const fileMode = 0o600;

export function createAuditLog({ file, log }: { readonly file: string; readonly log: Logger }): AuditLog {
  if (file === '') return { add: () => undefined, close: async () => undefined };
  let waiting: string[] = [];
  let writing: Promise<void> | undefined;
  const closing = new AbortController();

  async function writeOnce(): Promise<boolean> {
    const lines = waiting;
    waiting = [];
    try {
      await appendFile(file, lines.join(''), { mode: fileMode });
      return true;
    } catch (thrown) {
      const all = [...lines, ...waiting];
      waiting = all.slice(-mostKept);
      const lost = all.length - waiting.length;
      log.error(
        { err: thrown, file, waiting: waiting.length, lost },
        'audit records not written; they are tried again',
      );
      return false;
    }
  }

  async function write(): Promise<void> {
    while (waiting.length > 0 && !closing.signal.aborted) {
      if (!(await writeOnce())) await pause(againMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
    writing = undefined;
  }

  return {
    add(record) {
      waiting.push(`${JSON.stringify(record)}\n`);
      writing ??= write();
    },
    async close() {
      closing.abort();
      await writing;
      if (waiting.length > 0) await writeOnce();
    },
  };
}
