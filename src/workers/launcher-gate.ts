/**
 * Keeps workers from claiming messages for, and starting anything on, a launcher that does not answer: messages wait in
 * the mailbox, in their order, until a probe finds it well again.
 */

import { asError } from '../errors.ts';
import type { Wait } from '../executions/execution.ts';
import type { LauncherEntry } from '../launcher/launcher-table.ts';
import { pause, pauseMs } from '../lib/backoff.ts';
import type { Logger } from '../observability/logger.ts';

export interface LauncherGate {
  /** Nothing when open; else why not. */
  waitOf(name: string): Wait | undefined;
  /** Probes with growing pauses from now on, until the launcher is well. Again is a no-op. */
  close(entry: LauncherEntry, reason: Error): void;
}

export interface LauncherGateOptions {
  readonly log: Logger;
  /** Told at every change, so that workers look again. */
  readonly onChange: (entry: LauncherEntry, wait: Wait | undefined) => void;
  readonly leaving: AbortSignal;
}

const probePause = { firstMs: 500, mostMs: 10_000 };

export function createLauncherGate(options: LauncherGateOptions): LauncherGate {
  const waits = new Map<string, Wait>();

  async function reopen(entry: LauncherEntry): Promise<void> {
    for (let count = 0; ; count += 1) {
      await pause(pauseMs(count, probePause), options.leaving);
      if (options.leaving.aborted) return;
      const health = await entry.launcher.probe(options.leaving).catch((thrown: unknown) => ({
        ok: false,
        detail: asError(thrown).message,
      }));
      if (!health.ok) continue;
      waits.delete(entry.name);
      options.log.info({ launcher: entry.place }, 'launcher well again');
      options.onChange(entry, undefined);
      return;
    }
  }

  return {
    waitOf: (name) => waits.get(name),
    close(entry, reason) {
      if (waits.has(entry.name)) return;
      const wait: Wait = {
        cause: reason.message,
        since: new Date(),
        owner: 'operator',
        next: `Messages run as soon as launcher "${entry.name}" answers again`,
      };
      waits.set(entry.name, wait);
      options.log.warn({ launcher: entry.place, err: reason }, 'launcher closed until it answers');
      options.onChange(entry, wait);
      void reopen(entry);
    },
  };
}
