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
  /**
   * Closes it for what one execution has met, unless the launcher was found well right after it was last suspected: then the
   * trouble is that execution's own, as that of a user whose account is refused, and nobody else waits for it.
   *
   * @returns why it is closed, where it is.
   */
  suspect(entry: LauncherEntry, reason: Error): Wait | undefined;
}

export interface LauncherGateOptions {
  readonly log: Logger;
  /** Told at every change, so that workers look again. */
  readonly onChange: (entry: LauncherEntry, wait: Wait | undefined) => void;
  readonly leaving: AbortSignal;
}

const probePause = { firstMs: 500, mostMs: 10_000 };
/** For so long a launcher that was suspected for nothing is not suspected again. */
const trustMs = 30_000;

export function createLauncherGate(options: LauncherGateOptions): LauncherGate {
  const waits = new Map<string, Wait>();
  const trustedUntilMs = new Map<string, number>();

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
      if (count === 0) trustedUntilMs.set(entry.name, performance.now() + trustMs);
      options.log.info({ launcher: entry.place }, 'launcher well again');
      options.onChange(entry, undefined);
      return;
    }
  }

  function close(entry: LauncherEntry, reason: Error): Wait {
    const closed = waits.get(entry.name);
    if (closed) return closed;
    const wait = waitFor(reason, { next: nextOf(entry) });
    waits.set(entry.name, wait);
    options.log.warn({ launcher: entry.place, err: reason }, 'launcher closed until it answers');
    options.onChange(entry, wait);
    void reopen(entry);
    return wait;
  }

  return {
    waitOf: (name) => waits.get(name),
    close,
    suspect(entry, reason) {
      const isTrusted = performance.now() < (trustedUntilMs.get(entry.name) ?? 0);
      return isTrusted ? waits.get(entry.name) : close(entry, reason);
    },
  };
}

const nextOf = ({ name }: LauncherEntry): string => `Messages run as soon as launcher "${name}" answers again`;
