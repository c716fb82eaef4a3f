/**
 * An actor that is linked to another, deliveries that die and freeze wherever they ask whether to go on, and a worker of
 * the target that runs what comes and forgets it.
 */

import type { Actor } from '../../src/actors/actor.ts';
import { createEventDelivery, type EventDelivery, type EventDeliveryOptions } from '../../src/events/delivery.ts';
import { createEventStore } from '../../src/events/event-store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { ActorRef } from '../../src/mailbox/keys.ts';
import { aSettlement, type MailboxBench } from './mailbox-bench.ts';
import { silentLog } from './silent-log.ts';

/** Without its memory of causes a target would be told again what it has run and forgotten. */
export type EventProtection = 'causes';

export interface EventWorld {
  readonly source: ActorRef;
  readonly target: ActorRef;
  /** An execution of the source ends. */
  end(): Promise<void>;
  /** A delivery that dies when it has asked so many times whether to go on. */
  deliverUntilDeath(checks: number): Promise<void>;
  /** One that stops there until it is woken. */
  deliverUntilFrozen(checks: number): Promise<void>;
  wake(): Promise<void>;
  /** Takes the target's oldest message to its end, and lets the history have it. */
  runTarget(): Promise<void>;
  /** Lets everything come to its end. @returns what promises were broken. */
  finish(): Promise<readonly string[]>;
}

class Death extends Error {}

export function deliveryOn(bench: MailboxBench, settings: Partial<EventDeliveryOptions> = {}): EventDelivery {
  return createEventDelivery({
    events: createEventStore({ redis: bench.redis, prefix: 'test' }),
    mailbox: bench.mailbox,
    aliasOf: async () => undefined,
    post: async () => ({ kind: 'delivered' }),
    nextExecutionId: () => bench.ids.next(),
    clock: systemClock,
    checkpoint: async () => undefined,
    leaving: new AbortController().signal,
    log: silentLog as EventDeliveryOptions['log'],
    ...settings,
    settings: {
      linkKeepMs: 60_000,
      webhookKeepMs: 60_000,
      webhookTimeoutMs: 1_000,
      signingKey: '',
      apiServerOf: () => 'http://api',
      ...settings.settings,
    },
  });
}

/** Ends an execution of the actor, as a worker does. @returns its id. */
export async function endOne(bench: MailboxBench, actor: ActorRef, exitCode = 0): Promise<string> {
  const id = await bench.post(actor);
  const { lease } = await bench.claim(actor);
  await bench.mailbox.settle(lease, aSettlement({ exitCode }));
  return id;
}

export async function createEventWorld(bench: MailboxBench, without?: EventProtection): Promise<EventWorld> {
  const target = await bench.newActor();
  const link: Partial<Actor> = { link: target.actorId };
  const source = await bench.newActor(link);
  const ended: string[] = [];
  const told: string[] = [];
  const broken: string[] = [];
  const frozen: { readonly go: () => void; readonly end: Promise<void> }[] = [];
  const mailbox: EventDeliveryOptions['mailbox'] =
    without === 'causes'
      ? {
          postCaused: async (actor, { executionId, message }) => {
            const outcome = await bench.mailbox.post(actor, { executionId, message });
            return outcome.kind === 'posted' ? 'posted' : 'repeated';
          },
        }
      : bench.mailbox;
  // Becoming ready was an event too.
  await deliveryOn(bench).deliver(source);
  await runAll();
  told.length = 0;

  /** @param stop what happens at the check so numbered. */
  function delivery(checks: number, stop: () => Promise<void>): Promise<void> {
    let passed = 0;
    const checkpoint = async (): Promise<void> => {
      passed += 1;
      if (passed === checks) await stop();
    };
    return deliveryOn(bench, { mailbox, checkpoint })
      .deliver(source)
      .catch((thrown: unknown) => {
        if (!(thrown instanceof Death)) throw thrown;
      });
  }

  async function runTarget(): Promise<boolean> {
    const outcome = await bench.mailbox.claim(target, { workerId: 'w', leaseMs: 60_000, workersPerActor: 1_000 });
    if (outcome.kind !== 'leased') return false;
    const { lease, message } = outcome.claimed;
    const body = 'inline' in message.body ? Buffer.from(message.body.inline).toString() : '';
    told.push((JSON.parse(body) as { readonly execution_id: string }).execution_id);
    await bench.mailbox.settle(lease, aSettlement());
    for (const entry of await bench.mailbox.owed(target, 100)) await bench.mailbox.drained(target, entry);
    return true;
  }

  async function runAll(): Promise<void> {
    while (await runTarget());
  }

  async function wake(): Promise<void> {
    for (const { go, end } of frozen.splice(0)) {
      go();
      await end;
    }
  }

  return {
    source,
    target,
    wake,
    async end() {
      ended.push(await endOne(bench, source));
    },
    deliverUntilDeath: (checks) =>
      delivery(checks, async () => {
        throw new Death('killed here');
      }),
    async deliverUntilFrozen(checks) {
      const { promise, resolve: go } = Promise.withResolvers<void>();
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
      const end = delivery(checks, async () => {
        reach();
        await promise;
      });
      frozen.push({ go, end });
      await Promise.race([reached, end]);
    },
    runTarget: async () => void (await runTarget()),
    async finish() {
      await deliveryOn(bench, { mailbox }).deliver(source);
      await runAll();
      await wake();
      await deliveryOn(bench, { mailbox }).deliver(source);
      await runAll();
      if (String(told) !== String(ended)) broken.push(`ended ${String(ended)}, told ${String(told)}`);
      for (const key of [bench.keysOf(source).linkEvents, bench.keysOf(source).causes]) {
        if (await bench.redis.exists(key)) broken.push(`${key} is left`);
      }
      return broken;
    },
  };
}
