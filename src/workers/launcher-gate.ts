/**
 * Keeps workers from claiming messages for, and starting anything on, a launcher that does not answer: messages wait in
 * the mailbox, in their order, until a probe finds it well again.
 */

import { asError, ServiceError } from '../errors.ts';
import type { Wait } from '../executions/execution.ts';
import type { LauncherHealth } from '../launcher/launcher.ts';
import type { LauncherEntry } from '../launcher/launcher-table.ts';
import { pause, pauseMs } from '../lib/backoff.ts';
import { optional } from '../lib/optional.ts';
import type { Logger } from '../observability/logger.ts';
import { waitFor } from './wait-for.ts';

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

  async function probe({ launcher }: LauncherEntry): Promise<Pick<LauncherHealth, 'ok' | 'detail' | 'next'>> {
    return await launcher.probe(options.leaving).catch((thrown: unknown) => {
      const error = asError(thrown);
      return {
        ok: false,
        detail: error.message,
        ...(error instanceof ServiceError ? optional('next', error.next) : {}),
      };
    });
  }

  /** What closed it may have been a symptom; each probe knows better, and what has to be done may have changed. */
  function told(entry: LauncherEntry, health: Pick<LauncherHealth, 'detail' | 'next'>): Wait {
    const { since = new Date(), owner = 'operator' } = waits.get(entry.name) ?? {};
    return { cause: health.detail, since, owner, next: health.next ?? nextOf(entry) };
  }

  async function reopen(entry: LauncherEntry): Promise<void> {
    for (let count = 0; ; count += 1) {
      await pause(pauseMs(count, probePause), options.leaving);
      if (options.leaving.aborted) return;
      const health = await probe(entry);
      if (!health.ok) {
        waits.set(entry.name, told(entry, health));
        continue;
      }
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
      const wait = waitFor(reason, { next: nextOf(entry) });
      waits.set(entry.name, wait);
      options.log.warn({ launcher: entry.place, err: reason }, 'launcher closed until it answers');
      options.onChange(entry, wait);
      void reopen(entry);
    },
  };
}

const nextOf = ({ name }: LauncherEntry): string => `Messages run as soon as launcher "${name}" answers again`;
