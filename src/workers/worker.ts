/**
 * A loop that serves one actor, one execution at a time.
 *
 * - *ready*: nothing to claim; waits to be woken by the supervisor. Got into at the start and after every execution.
 * - *busy*: holds one message and takes it along the path of `run-execution.ts`.
 * - *retired*: asked to stop; ends at once when ready, else after the execution it holds. Nothing is interrupted.
 */

import type { Actor } from '../actors/actor.ts';
import { asError } from '../errors.ts';
import type { Claimed } from '../executions/execution.ts';
import type { LauncherEntry } from '../launcher/launcher-table.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { ClaimOptions, Mailbox } from '../mailbox/mailbox.ts';
import type { Logger } from '../observability/logger.ts';
import type { LauncherGate } from './launcher-gate.ts';
import type { RunOutcome } from './run-execution.ts';

export interface Worker {
  readonly id: string;
  readonly busy: boolean;
  readonly createTime: Date;
  readonly lastExecutionTime: Date | undefined;
  /** There may be something to claim. */
  wake(): void;
  /** Resolves when it has ended. Again returns the promise in flight. */
  retire(): Promise<void>;
}

export interface WorkerOptions {
  readonly id: string;
  readonly actor: ActorRef;
  readonly mailbox: Pick<Mailbox, 'claim' | 'giveBack'>;
  readonly gate: Pick<LauncherGate, 'waitOf'>;
  /** Nothing when this process has no such launcher. */
  readonly launcherOf: (actor: Actor) => LauncherEntry | undefined;
  readonly run: (entry: LauncherEntry, claimed: Claimed, actor: Actor) => Promise<RunOutcome>;
  readonly leaseMs: number;
  /** How many messages of the actor may be held, as it stands. */
  readonly limits: () => Pick<ClaimOptions, 'workersPerActor' | 'wanted'>;
  readonly log: Logger;
  /** It has taken a message, and so many wait still. */
  readonly onTaken: (waiting: number) => void;
  /** It claimed, and there was nothing it may take. */
  readonly onNothing: () => void;
  /** What it held is settled or left. It claims again only if it is not retired by then. */
  readonly onFree: () => void;
  /** The launcher the actor uses by what is known of it; a closed one is not claimed for. */
  readonly launcherName: () => string | undefined;
}

export function startWorker(options: WorkerOptions): Worker {
  const createTime = new Date();
  let lastExecutionTime: Date | undefined;
  let busy = false;
  let retired = false;
  let woken = Promise.withResolvers<void>();
  let isWoken = false;

  /** @returns whether it is worth looking again at once. */
  async function serveOne(): Promise<boolean> {
    const name = options.launcherName();
    if (name === undefined || options.gate.waitOf(name)) return false;
    const { id: workerId, leaseMs } = options;
    const outcome = await options.mailbox.claim(options.actor, { workerId, leaseMs, ...options.limits() });
    if (outcome.kind !== 'leased') {
      // News that came meanwhile may be of what this claim did not see.
      if (!isWoken) options.onNothing();
      return false;
    }
    busy = true;
    try {
      tellTaken(outcome.waiting);
      const entry = options.launcherOf(outcome.actor);
      if (!entry) {
        await options.mailbox.giveBack(outcome.claimed.lease);
        return false;
      }
      return (await options.run(entry, outcome.claimed, outcome.actor)) === 'settled';
    } finally {
      lastExecutionTime = new Date();
      busy = false;
      options.onFree();
    }
  }

  /** Others may be called for what waits still. Where that fails the sweep does it; what is held goes on. */
  function tellTaken(waiting: number): void {
    try {
      options.onTaken(waiting);
    } catch (thrown) {
      options.log.warn(
        { err: asError(thrown), workerId: options.id },
        'nobody called for what waits; the sweep does it',
      );
    }
  }

  async function loop(): Promise<void> {
    while (!retired) {
      woken = Promise.withResolvers<void>();
      isWoken = false;
      let again = false;
      try {
        again = await serveOne();
      } catch (thrown) {
        // Whatever was held is adopted once its lease runs out; nothing is lost by going on.
        options.log.warn({ err: asError(thrown), workerId: options.id }, 'worker went on after an error');
      }
      if (!again && !retired) await woken.promise;
    }
  }

  const ended = loop();
  return {
    id: options.id,
    createTime,
    get busy() {
      return busy;
    },
    get lastExecutionTime() {
      return lastExecutionTime;
    },
    wake() {
      isWoken = true;
      woken.resolve();
    },
    async retire() {
      retired = true;
      woken.resolve();
      await ended;
    },
  };
}
