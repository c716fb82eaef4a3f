/** An execution that a worker holds by its lease: what each step of its path needs, and how steps wait and repeat. */

import type { Actor } from '../actors/actor.ts';
import { asError, ServiceError, UnavailableError } from '../errors.ts';
import type { Claimed, Lease, Wait } from '../executions/execution.ts';
import type { AttemptRef } from '../launcher/launcher.ts';
import type { LauncherEntry } from '../launcher/launcher-table.ts';
import { pause, pauseMs } from '../lib/backoff.ts';
import type { Logger } from '../observability/logger.ts';
import type { EndOfExecution } from './end-of.ts';
import type { KeptLease } from './lease-keeper.ts';
import type { RunContext } from './run-context.ts';
import { waitFor } from './wait-for.ts';

const pauses = { firstMs: 250, mostMs: 15_000 };

export class HeldExecution {
  readonly context: RunContext;
  readonly entry: LauncherEntry;
  readonly claimed: Claimed;
  readonly actor: Actor;
  readonly kept: KeptLease;
  readonly log: Logger;
  startedAt: Date | undefined;
  #attempt: number;
  #notAfter: Date;
  #handedOver: boolean;

  constructor(context: RunContext, entry: LauncherEntry, claimed: Claimed, actor: Actor, kept: KeptLease) {
    this.context = context;
    this.entry = entry;
    this.claimed = claimed;
    this.actor = actor;
    this.kept = kept;
    this.startedAt = claimed.execution.startedAt;
    this.#attempt = claimed.intent?.attempt ?? 1;
    this.#notAfter = claimed.intent?.notAfter ?? this.#freshNotAfter();
    this.#handedOver = this.intended;
    this.log = context.log.child({
      tenant: actor.tenant,
      actorId: actor.id,
      executionId: this.lease.executionId,
      workerId: this.lease.workerId,
      launcher: entry.place,
    });
  }

  get lease(): Lease {
    return this.claimed.lease;
  }

  get ref(): { readonly tenant: string; readonly actorId: string } {
    return { tenant: this.actor.tenant, actorId: this.actor.id };
  }

  get attempt(): AttemptRef {
    return { executionId: this.lease.executionId, attempt: this.#attempt, owner: this.actor.owner };
  }

  /** After it, this attempt starts nothing. */
  get notAfter(): Date {
    return this.#notAfter;
  }

  /** Whether this attempt was about to be launched already by who held it before. */
  get intended(): boolean {
    return this.claimed.intent?.attempt === this.#attempt;
  }

  /** Whether something of this attempt may have been handed over: by who held it before, or by a launch of ours. */
  get handedOver(): boolean {
    return this.#handedOver;
  }

  noteHandedOver(): void {
    this.#handedOver = true;
  }

  /** Whether nothing may be done any more: another holds it, or this process leaves. */
  get gone(): boolean {
    return this.kept.lost.aborted || this.context.leaving.aborted;
  }

  /** Only where nothing runs and nothing can run of the one before. */
  nextAttempt(): void {
    this.#attempt += 1;
    this.#notAfter = this.#freshNotAfter();
    this.#handedOver = false;
  }

  /** A lease that is still ours runs out at once, so that the next holder need not wait for it. */
  leave(): 'left' {
    this.log.debug({ lost: this.kept.lost.aborted }, 'execution left to its next holder');
    if (!this.kept.lost.aborted) {
      void this.context.mailbox.extend({ ...this.lease, leaseMs: 0 }).catch(() => 'lost');
    }
    return 'left';
  }

  async countFailedStart(detail: string): Promise<'again' | 'too-many' | 'left'> {
    const wait = waitFor(new Error(detail));
    const count = await this.context.mailbox.noteWait(this.lease, wait, true);
    if (count === 'lost') return 'left';
    this.log.warn({ count, detail }, 'start failed');
    return count > this.context.settings.startFailures ? 'too-many' : 'again';
  }

  /**
   * Closes the marker, after which it is true that nothing of this attempt starts. Where it cannot be reached, that is true
   * only of what was never handed over; all else waits until it can.
   *
   * @returns its end; nothing when this holder is gone, or when it has started after all: launching the same attempt again
   *   only finds its handle.
   */
  async endUnstarted(end: 'cancelled' | 'launch-failed', detail: string): Promise<EndOfExecution | undefined> {
    const ended = (): EndOfExecution => ({ end, detail, finishedAt: this.context.clock.now() });
    for (let count = 0; ; count += 1) {
      try {
        return (await this.cancel()) === 'never-started' ? ended() : undefined;
      } catch (thrown) {
        if (!(thrown instanceof UnavailableError)) throw thrown;
        if (!this.#handedOver) return ended();
        this.log.warn({ err: thrown }, 'execution not ended, since it may have started; it is tried again');
        if (!(await this.waitWith(waitFor(thrown), count))) return undefined;
      }
    }
  }

  async cancel(): Promise<'never-started' | 'stopping'> {
    return await this.entry.launcher.cancel(this.attempt, this.context.settings.limits.graceMs);
  }

  /** Longer each time; cut short when it is gone, and once when it is to be cancelled. */
  async pauseBefore(retry: number): Promise<void> {
    const { lost, cancelled } = this.kept;
    const news = cancelled.aborted ? [] : [cancelled];
    await pause(pauseMs(retry, pauses), lost, this.context.leaving, ...news);
  }

  /** @returns false when there is nothing to wait for any more. */
  async waitWith(wait: Wait, retry: number): Promise<boolean> {
    await this.context.mailbox.noteWait(this.lease, wait, false).catch(() => 'lost');
    await this.pauseBefore(retry);
    return !this.gone;
  }

  /**
   * Repeats what an outage interrupts, for as long as it is not gone.
   * @throws ServiceError what no repetition mends.
   */
  async patiently<T>(what: string, act: () => Promise<T>): Promise<T | undefined> {
    for (let count = 0; ; count += 1) {
      if (this.gone) return undefined;
      try {
        return await act();
      } catch (thrown) {
        const error = asError(thrown);
        if (error instanceof ServiceError && !error.retryable) throw error;
        this.log.warn({ err: error }, `${what} failed; it is repeated`);
        await this.pauseBefore(count);
      }
    }
  }

  #freshNotAfter(): Date {
    return new Date(this.context.clock.now().getTime() + this.context.settings.notAfterMs);
  }
}
