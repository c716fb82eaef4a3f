/**
 * The path of one execution through a worker, from its claim (or its adoption) to its removal:
 *
 *     prepare → intent → launch → handle → running → watch → collect → settle → remove
 *
 * - *before the intent* nothing was started: trouble gives the message back to its old place.
 * - *intent without a handle*: something may have been started. The same attempt is launched, again and again while
 *   trouble may pass; the start marker makes the repetition harmless. It never goes back to the mailbox.
 * - *handle*: it is watched to its end, whoever launched it.
 * - *settled*: the execution is over, and the cleanup entry written with it owes the removal of its container.
 *
 * A worker whose lease was lost finishes nothing: it leaves at the next step, and what runs goes on under its new holder.
 */

import { randomBytes } from 'node:crypto';
import type { Actor } from '../actors/actor.ts';
import type { ActorStore } from '../actors/actor-store.ts';
import type { ConfigValue } from '../actors/config.ts';
import type { ConfigStore } from '../actors/config-store.ts';
import { fillResources, policyProblem, type ResourcePolicy } from '../actors/resource-policy.ts';
import { renderExecutionToken } from '../auth/execution-token.ts';
import type { RunAsPlanner } from '../auth/run-as.ts';
import { asError, InvalidError, QuotaError, ServiceError, UnavailableError } from '../errors.ts';
import type { ValueText } from '../executions/environment.ts';
import {
  type Claimed,
  type FinalState,
  type Lease,
  type Settlement,
  stateOfEnd,
  type Wait,
} from '../executions/execution.ts';
import { hashToken } from '../executions/execution-store.ts';
import type { AttemptRef, LaunchEnd, LaunchHandle, PreparedImage } from '../launcher/launcher.ts';
import type { LauncherEntry } from '../launcher/launcher-table.ts';
import type { Resources } from '../launcher/resources.ts';
import { pause, pauseMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { optional } from '../lib/optional.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Logger } from '../observability/logger.ts';
import { type EndOfExecution, endOf } from './end-of.ts';
import { buildLaunchSpec, type MessageSpec, type OwnerSpec, ownerSpec, type SiteLimits } from './launch-spec.ts';
import type { LauncherGate } from './launcher-gate.ts';
import type { KeptLease, LeaseKeeper } from './lease-keeper.ts';
import type { CollectedOutput, LiveOutput, OutputCollector } from './output-collector.ts';
import { waitFor } from './wait-for.ts';

/** Named points at which tests kill or freeze the process. */
export type CheckPoint =
  | 'before-intent'
  | 'after-intent'
  | 'after-launch'
  | 'after-handle'
  | 'before-collect'
  | 'before-settle'
  | 'after-settle'
  | 'after-cleanup';

export interface RunSettings {
  readonly limits: SiteLimits;
  /** What each queue gives its actors, and allows them. */
  readonly queues: Readonly<Record<string, ResourcePolicy>>;
  readonly notAfterMs: number;
  /** Failed starts after which the execution ends as launch-failed. */
  readonly startFailures: number;
  /** Base URL at which containers of a tenant reach the API. */
  readonly apiServerOf: (tenant: string) => string;
  /** How values that are no text are written into variables. */
  readonly valueText: ValueText;
  /** In which state an execution ends whose program failed. */
  readonly failedState: FinalState;
}

export interface RunContext {
  readonly mailbox: Mailbox;
  readonly actors: Pick<ActorStore, 'state' | 'markError'>;
  readonly configs: Pick<ConfigStore, 'valuesFor'>;
  readonly leases: LeaseKeeper;
  readonly gate: LauncherGate;
  readonly output: OutputCollector;
  readonly settings: RunSettings;
  /** Asked before each start: who may no longer run anything starts nothing, and a new group is in effect. */
  readonly runAs: RunAsPlanner;
  readonly clock: Clock;
  readonly log: Logger;
  readonly checkpoint: (point: CheckPoint) => Promise<void>;
  /** Aborts when this process leaves at once; what runs is found again by the next one. */
  readonly leaving: AbortSignal;
  /** A launcher has taken an execution, after so long. */
  readonly onLaunched?: (launcher: string, tookMs: number) => void;
}

/** How a worker left an execution. `left`: another holds it, or this process is leaving. */
export type RunOutcome = 'settled' | 'given-back' | 'left';

const launchPause = { firstMs: 250, mostMs: 15_000 };

export async function runExecution(
  context: RunContext,
  entry: LauncherEntry,
  claimed: Claimed,
  actor: Actor,
): Promise<RunOutcome> {
  using kept = context.leases.keep(claimed.lease);
  const run = new ExecutionRun(context, entry, claimed, actor, kept);
  return await run.toTheEnd();
}

class ExecutionRun {
  readonly #context: RunContext;
  readonly #entry: LauncherEntry;
  readonly #claimed: Claimed;
  readonly #actor: Actor;
  readonly #kept: KeptLease;
  readonly #lease: Lease;
  readonly #log: Logger;
  #attempt: number;
  #notAfter: Date;
  #startedAt: Date | undefined;
  #live: LiveOutput | undefined;

  constructor(context: RunContext, entry: LauncherEntry, claimed: Claimed, actor: Actor, kept: KeptLease) {
    this.#context = context;
    this.#entry = entry;
    this.#claimed = claimed;
    this.#actor = actor;
    this.#kept = kept;
    this.#lease = claimed.lease;
    this.#attempt = claimed.intent?.attempt ?? 1;
    this.#notAfter = claimed.intent?.notAfter ?? this.#freshNotAfter();
    this.#startedAt = claimed.execution.startedAt;
    this.#log = context.log.child({
      tenant: actor.tenant,
      actorId: actor.id,
      executionId: this.#lease.executionId,
      workerId: this.#lease.workerId,
      launcher: entry.place,
    });
  }

  async toTheEnd(): Promise<RunOutcome> {
    let handle = this.#claimed.handle;
    for (;;) {
      if (!handle) {
        const launched = await this.#launch();
        if (typeof launched === 'string') return launched;
        handle = launched;
      }
      const end = await this.#follow(handle);
      if (!end) return this.#leave();
      const meaning = endOf(end);
      if (meaning !== 'again') return await this.#finish(meaning);
      // Nothing ran and nothing can run of this attempt any more, so the next one is safe.
      const detail = end.kind === 'lost' ? end.detail : '';
      const failed = await this.#countFailedStart(detail);
      if (failed === 'left') return this.#leave();
      if (failed === 'too-many') return await this.#neverStarted(detail);
      this.#attempt += 1;
      this.#notAfter = this.#freshNotAfter();
      handle = undefined;
      this.#live = undefined;
    }
  }

  /** prepare → intent → launch → handle. */
  async #launch(): Promise<LaunchHandle | RunOutcome> {
    const intended = this.#claimed.intent?.attempt === this.#attempt;
    const image = await this.#prepare(intended);
    if (typeof image === 'string') return image;
    const secret = randomBytes(32).toString('base64url');
    await this.#context.checkpoint('before-intent');
    const recorded = await this.#context.mailbox.recordIntent(this.#lease, {
      attempt: this.#attempt,
      launcher: this.#entry.place,
      notAfter: this.#notAfter,
      tokenHash: hashToken(secret),
    });
    if (recorded === 'lost') return this.#leave();
    if (recorded === 'cancelled') {
      const outcome = await this.#cancelBeforeHandle();
      if (outcome) return outcome;
    }
    await this.#context.checkpoint('after-intent');
    const configs = await this.#configs();
    if (typeof configs === 'string') return configs;
    const spec = await this.#spec(image, secret, configs);
    const handle = await this.#launchPatiently(spec);
    if ('outcome' in handle) return handle.outcome;
    await this.#context.checkpoint('after-launch');
    return await this.#recordHandle(handle);
  }

  async #recordHandle(handle: LaunchHandle): Promise<LaunchHandle | RunOutcome> {
    const recorded = await this.#context.mailbox.recordHandle(this.#lease, handle);
    if (recorded === 'recorded') {
      await this.#context.checkpoint('after-handle');
      this.#log.info({ nativeId: handle.nativeId, attempt: handle.attempt }, 'execution launched');
      return handle;
    }
    // A latecomer after the end: what it made (and could not start) belongs to nobody any more.
    if (recorded === 'ended') await this.#entry.launcher.remove(handle);
    return this.#leave();
  }

  async #prepare(intended: boolean): Promise<PreparedImage | RunOutcome> {
    const { launcher } = this.#entry;
    const { image: name, tenant, owner } = this.#actor;
    const image = { name, tenant, owner, ...optional('digest', this.#actor.digest) };
    for (let count = 0; ; count += 1) {
      try {
        return await launcher.prepare(image, this.#context.leaving);
      } catch (thrown) {
        if (this.#gone()) return this.#leave();
        const error = asError(thrown);
        if (!intended) return await this.#giveBack(error);
        if (!(error instanceof UnavailableError)) {
          const failed = await this.#countFailedStart(error.message);
          if (failed === 'left') return this.#leave();
          if (failed === 'too-many') return await this.#neverStarted(error.message);
        }
        if (!(await this.#waitWith(waitFor(error), count))) return this.#leave();
      }
    }
  }

  /** Before the intent: a bad image is the actor's trouble, any other passes; either way the message waits. */
  async #giveBack(error: Error): Promise<RunOutcome> {
    if (error instanceof UnavailableError) this.#context.gate.close(this.#entry, error);
    else await this.#context.actors.markError(this.#ref(), this.#actor.revision, error.message);
    await this.#context.mailbox.giveBack(this.#lease, waitFor(error));
    this.#log.warn({ err: error }, 'execution given back');
    return 'given-back';
  }

  async #launchPatiently(spec: MessageSpec): Promise<LaunchHandle | { readonly outcome: RunOutcome }> {
    const since = new Date();
    for (let count = 0; ; count += 1) {
      if (this.#gone()) return { outcome: this.#leave() };
      if (this.#kept.cancelled.aborted) {
        const outcome = await this.#cancelBeforeHandle();
        if (outcome) return { outcome };
      }
      const closed = this.#context.gate.waitOf(this.#entry.name);
      if (closed) {
        await this.#waitWith(closed, count);
        continue;
      }
      const owner = await this.#ownerSpec();
      if (owner instanceof UnavailableError) {
        await this.#waitWith(waitFor(owner), count);
        continue;
      }
      if (owner instanceof Error) return await this.#refuse(spec, owner.message);
      try {
        this.#checkPolicy();
        const began = performance.now();
        const handle = await this.#entry.launcher.launch({ ...spec, ...owner }, this.#context.leaving);
        this.#context.onLaunched?.(this.#entry.name, performance.now() - began);
        return handle;
      } catch (thrown) {
        if (this.#gone()) return { outcome: this.#leave() };
        const error = asError(thrown);
        if (error instanceof UnavailableError) {
          this.#context.gate.close(this.#entry, error);
          continue;
        }
        // A limit that others use up too: this one waits, and nobody else does.
        if (error instanceof QuotaError) {
          await this.#waitWith({ ...waitFor(error), since }, count);
          continue;
        }
        const failed = isRefused(error) ? 'too-many' : await this.#countFailedStart(error.message);
        if (failed === 'left') return { outcome: this.#leave() };
        if (failed === 'too-many') return { outcome: await this.#neverStarted(error.message) };
        await pause(pauseMs(count, launchPause), this.#kept.lost, this.#context.leaving, this.#kept.cancelled);
      }
    }
  }

  /** The queue may allow less than when the actor was registered. */
  #checkPolicy(): void {
    const { queue, resources } = this.#actor;
    const policy = this.#context.settings.queues[queue];
    const problem = policy && policyProblem(resources, queue, policy);
    if (problem !== undefined) throw new InvalidError('launcher.rejected', `Resource ${problem}`);
  }

  /** Who it runs as now, which need not be who the owner was when the actor was registered. */
  async #ownerSpec(): Promise<OwnerSpec | ServiceError> {
    try {
      const { tenant, owner, privileged } = this.#actor;
      const runAs = await this.#context.runAs.of({ tenant, owner, privileged, launcher: this.#entry.name });
      return ownerSpec(this.#actor, runAs);
    } catch (thrown) {
      if (thrown instanceof ServiceError) return thrown;
      throw thrown;
    }
  }

  /** For an owner who runs nothing any more. What had started before is told to stop, and its handle found. */
  async #refuse(spec: MessageSpec, detail: string): Promise<LaunchHandle | { readonly outcome: RunOutcome }> {
    const closed = await this.#entry.launcher.cancel(this.#attemptRef(), this.#context.settings.limits.graceMs);
    if (closed === 'stopping') {
      const known = { ...spec, ...ownerSpec(this.#actor, this.#actor) };
      return await this.#entry.launcher.launch(known, this.#context.leaving);
    }
    const finishedAt = this.#context.clock.now();
    return { outcome: await this.#finish({ end: 'launch-failed', detail, finishedAt }) };
  }

  async #countFailedStart(detail: string): Promise<'again' | 'too-many' | 'left'> {
    const wait = waitFor(new Error(detail));
    const count = await this.#context.mailbox.noteWait(this.#lease, wait, true);
    if (count === 'lost') return 'left';
    this.#log.warn({ count, detail }, 'start failed');
    return count > this.#context.settings.startFailures ? 'too-many' : 'again';
  }

  /** Closes the marker first: only then is it true that it never started. */
  async #neverStarted(detail: string): Promise<RunOutcome> {
    const closed = await this.#entry.launcher.cancel(this.#attemptRef(), this.#context.settings.limits.graceMs);
    if (closed === 'never-started') {
      return await this.#finish({ end: 'launch-failed', detail, finishedAt: this.#context.clock.now() });
    }
    // It had started after all: release it, and whoever adopts it next finds it by launching the same attempt.
    return this.#leave();
  }

  /** @returns nothing when it has started: then launching it again only finds its handle, and its end is watched. */
  async #cancelBeforeHandle(): Promise<RunOutcome | undefined> {
    const closed = await this.#entry.launcher.cancel(this.#attemptRef(), this.#context.settings.limits.graceMs);
    if (closed === 'never-started') {
      const detail = 'It was cancelled before it started';
      return await this.#finish({ end: 'cancelled', detail, finishedAt: this.#context.clock.now() });
    }
    return undefined;
  }

  async #follow(handle: LaunchHandle): Promise<LaunchEnd | undefined> {
    const stopFollowing = AbortSignal.any([this.#kept.lost, this.#context.leaving]);
    const live = this.#context.output.follow(this.#entry.launcher, handle, this.#lease, this.#claimed.results);
    this.#live = live;
    const cancel = (): void => void this.#cancelRunning(handle);
    this.#kept.cancelled.addEventListener('abort', cancel, { once: true });
    if (this.#claimed.cancelRequested || this.#kept.cancelled.aborted) cancel();
    try {
      for await (const event of this.#entry.launcher.watch(handle, stopFollowing)) {
        switch (event.kind) {
          case 'queued':
            await this.#context.mailbox.noteWait(
              this.#lease,
              {
                cause: event.reason,
                since: event.at,
                owner: event.owner,
                next: event.next,
                ...optional('expected', event.expected),
              },
              false,
            );
            break;
          case 'running':
            await this.#noteRunning(event.at, event.node);
            break;
          default:
            return event;
        }
      }
      return undefined;
    } finally {
      await live.stop();
      this.#kept.cancelled.removeEventListener('abort', cancel);
    }
  }

  async #noteRunning(at: Date, node: string): Promise<void> {
    if (this.#startedAt) return;
    this.#startedAt = at;
    if ((await this.#context.mailbox.running(this.#lease, at, node)) === 'running') {
      this.#log.info({ node }, 'execution running');
    }
  }

  async #cancelRunning(handle: LaunchHandle): Promise<void> {
    for (let count = 0; !this.#gone(); count += 1) {
      try {
        await this.#entry.launcher.cancel(handle, this.#context.settings.limits.graceMs);
        return;
      } catch (thrown) {
        this.#log.warn({ err: asError(thrown) }, 'cancel failed');
        await pause(pauseMs(count, launchPause), this.#kept.lost, this.#context.leaving);
      }
    }
  }

  /** collect → settle → remove. What was never followed never started, and there is nothing to collect. */
  async #finish(meaning: EndOfExecution): Promise<RunOutcome> {
    await this.#context.checkpoint('before-collect');
    const output = this.#live && (await this.#collect(this.#live));
    if (this.#live && !output) return this.#leave();
    const settlement: Settlement = {
      ...meaning,
      state: stateOfEnd(meaning, this.#context.settings.failedState),
      ...optional('startedAt', output?.usage?.startedAt ?? this.#startedAt),
      finishedAt: output?.usage?.finishedAt ?? meaning.finishedAt,
      ...optional('usage', output?.settled),
      ...optional('accounting', output?.accounting),
      log: output?.log ?? { body: { inline: new Uint8Array() }, truncated: false },
    };
    await this.#context.checkpoint('before-settle');
    const settled = await this.#patiently('settle', () => this.#context.mailbox.settle(this.#lease, settlement));
    if (settled !== 'settled') return this.#leave();
    await this.#context.checkpoint('after-settle');
    this.#log.info({ end: meaning.end, exitCode: meaning.exitCode }, 'execution ended');
    await this.#remove();
    return 'settled';
  }

  async #collect(live: LiveOutput): Promise<CollectedOutput | undefined> {
    return await this.#patiently('collect', () => live.finish(this.#context.leaving));
  }

  /** The cleanup entry stands until this has worked; when it fails, the sweep tries again. */
  async #remove(): Promise<void> {
    try {
      await this.#entry.launcher.remove(this.#attemptRef());
      await this.#context.mailbox.cleanupDone(this.#ref(), { ...this.#attemptRef(), launcher: this.#entry.place });
      await this.#context.checkpoint('after-cleanup');
    } catch (thrown) {
      this.#log.warn({ err: asError(thrown) }, 'removal failed; the sweep repeats it');
    }
  }

  /** Repeats what an outage interrupts, for as long as the lease is not known to be lost. */
  async #patiently<T>(what: string, act: () => Promise<T>): Promise<T | undefined> {
    for (let count = 0; ; count += 1) {
      if (this.#gone()) return undefined;
      try {
        return await act();
      } catch (thrown) {
        const error = asError(thrown);
        if (error instanceof ServiceError && !error.retryable) throw error;
        this.#log.warn({ err: error }, `${what} failed; it is repeated`);
        await pause(pauseMs(count, launchPause), this.#kept.lost, this.#context.leaving);
      }
    }
  }

  /** @returns false when there is nothing to wait for any more. */
  async #waitWith(wait: Wait, count: number): Promise<boolean> {
    await this.#context.mailbox.noteWait(this.#lease, wait, false).catch(() => 'lost');
    await pause(pauseMs(count, launchPause), this.#kept.lost, this.#context.leaving, this.#kept.cancelled);
    return !this.#gone();
  }

  /** Waits for the key of a secret that does not open: nothing is lost by a file that is put back. */
  async #configs(): Promise<readonly ConfigValue[] | RunOutcome> {
    for (let count = 0; ; count += 1) {
      if (this.#kept.cancelled.aborted) {
        const outcome = await this.#cancelBeforeHandle();
        if (outcome) return outcome;
      }
      try {
        return await this.#context.configs.valuesFor(this.#ref());
      } catch (thrown) {
        const error = asError(thrown);
        if (isRefused(error)) return await this.#neverStarted(error.message);
        if (!(error instanceof UnavailableError)) throw error;
        if (!(await this.#waitWith(waitFor(error), count))) return this.#leave();
      }
    }
  }

  async #spec(image: PreparedImage, secret: string, configs: readonly ConfigValue[]): Promise<MessageSpec> {
    const accessToken = renderExecutionToken({ ...this.#ref(), executionId: this.#lease.executionId, secret });
    return await buildLaunchSpec({
      actor: this.#actor,
      claimed: this.#claimed,
      attempt: this.#attemptRef(),
      image,
      state: await this.#context.actors.state(this.#ref()),
      configs,
      accessToken,
      apiServer: this.#context.settings.apiServerOf(this.#actor.tenant),
      valueText: this.#context.settings.valueText,
      notAfter: this.#notAfter,
      limits: this.#context.settings.limits,
      resources: this.#resources(),
      hasScheduler: this.#entry.launcher.capabilities.queues,
      blobs: this.#context.output.blobs,
    });
  }

  #resources(): Resources {
    const { queue, resources } = this.#actor;
    const policy = this.#context.settings.queues[queue];
    return policy ? fillResources(resources, policy) : resources;
  }

  #gone(): boolean {
    return this.#kept.lost.aborted || this.#context.leaving.aborted;
  }

  /** A lease that is still ours runs out at once, so that the next holder need not wait for it. */
  #leave(): 'left' {
    this.#log.debug({ lost: this.#kept.lost.aborted }, 'execution left to its next holder');
    if (!this.#kept.lost.aborted) {
      void this.#context.mailbox.extend({ ...this.#lease, leaseMs: 0 }).catch(() => 'lost');
    }
    return 'left';
  }

  #ref(): { readonly tenant: string; readonly actorId: string } {
    return { tenant: this.#actor.tenant, actorId: this.#actor.id };
  }

  #attemptRef(): AttemptRef {
    return { executionId: this.#lease.executionId, attempt: this.#attempt, owner: this.#actor.owner };
  }

  #freshNotAfter(): Date {
    return new Date(this.#context.clock.now().getTime() + this.#context.settings.notAfterMs);
  }
}

/**
 * A no that stays however often it is asked: the same request is refused for ever, so it is not made five times. Of a user
 * the directory does not know it may be otherwise in a moment.
 */
function isRefused(error: Error): boolean {
  return error instanceof InvalidError && !error.code.startsWith('identity.');
}
