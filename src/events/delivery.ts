/**
 * Tells the link and the webhook of an actor what is owed to them, each in the order it came about.
 *
 * An event is written into the actor's slot by the same script that changes what it tells of, and stays until it was told:
 * a delivery that dies costs delay. Any number of processes may deliver the same actor's events.
 *
 * - *link*: the event becomes a message of the target exactly once. Which actor that is (a name may be moved, and one that
 *   was freed since is nobody's, whoever has taken it) and which execution it gets is decided once, for all who deliver; the
 *   target keeps the highest number it was given by this actor, so that news from a delivery that was long frozen stores
 *   nothing again. An event whose target is among the actors that led to it goes no further: links in a circle end after
 *   one round, however they were tied.
 * - *webhook*: the event is posted at least once, after the link where there is one, and again after a growing pause until
 *   `webhookKeepMs` after it came about; then it and what is as old is dropped. One process at a time has the turn.
 *
 * What is dropped is said in the log, with the reason.
 */

import pLimit from 'p-limit';
import { asError } from '../errors.ts';
import { isId } from '../lib/ids.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Logger } from '../observability/logger.ts';
import { eventExecutor, pathOf, renderEvent } from './event.ts';
import type { EventList, EventStore, LinkTarget, OwedEvent } from './event-store.ts';
import { signWebhook, type WebhookOutcome, type WebhookPost, webhookKey } from './webhook.ts';

export type EventCheckPoint = 'event-before-target' | 'event-before-post' | 'event-after-post' | 'event-after-done';

export interface EventDelivery {
  /** Starts to tell what is owed of the actor, unless that is under way. */
  begin(actor: ActorRef): void;
  /** Tells all that can be told now. */
  deliver(actor: ActorRef): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export interface EventDeliveryOptions {
  readonly events: EventStore;
  readonly mailbox: Pick<Mailbox, 'postCaused'>;
  /** The actor an alias of the tenant stands for. */
  readonly aliasOf: (tenant: string, alias: string) => Promise<string | undefined>;
  readonly post: (post: WebhookPost, signal: AbortSignal) => Promise<WebhookOutcome>;
  readonly nextExecutionId: () => string;
  readonly clock: { now(): Date };
  readonly checkpoint: (point: EventCheckPoint) => Promise<void>;
  readonly leaving: AbortSignal;
  readonly settings: EventSettings;
  readonly log: Logger;
}

export interface EventSettings {
  readonly linkKeepMs: number;
  readonly webhookKeepMs: number;
  readonly webhookTimeoutMs: number;
  /** Empty signs nothing. */
  readonly signingKey: string;
  /** What events of a tenant say as `_abaco_api_server`. */
  readonly apiServerOf: (tenant: string) => string;
}

/** Webhooks of one tenant that are posted to at a time: its slow ones hold up no other's. */
const mostPosts = 16;

/** As old as an event is, so long is the pause before the next try, within these: so pauses double. */
const leastPauseMs = 1_000;
const mostPauseMs = 300_000;

export function createEventDelivery(options: EventDeliveryOptions): EventDelivery {
  const { events, log, settings } = options;
  const underWay = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const begun = new Set<Promise<void>>();
  const limits = new Map<string, ReturnType<typeof pLimit>>();

  async function deliverLinks(actor: ActorRef): Promise<void> {
    for (let owed = await next(actor, 'link'); owed; owed = await next(actor, 'link')) {
      const outcome = await deliverLink(actor, owed);
      if (outcome === 'waits') return;
      if (outcome === 'dropped') await events.forgetTarget(actor, owed.event);
      await events.done(actor, 'link', owed);
      await options.checkpoint('event-after-done');
    }
  }

  async function deliverLink(actor: ActorRef, owed: OwedEvent): Promise<'told' | 'dropped' | 'waits'> {
    const { event } = owed;
    await options.checkpoint('event-before-target');
    const target = await targetOf(actor, owed);
    if (!target) return drop(actor, owed, 'link', 'its link leads to no actor');
    const via = pathOf(event, actor.actorId);
    if (via.includes(target.actorId)) return drop(actor, owed, 'link', 'its link leads back to an actor it came from');
    await options.checkpoint('event-before-post');
    const outcome = await options.mailbox.postCaused(
      { tenant: actor.tenant, actorId: target.actorId },
      {
        executionId: target.executionId,
        message: {
          contentType: 'application/json',
          body: { inline: Buffer.from(JSON.stringify(renderEvent(event, actor, target.actorId))) },
          environment: {},
          executor: eventExecutor,
          cause: 'event',
        },
        cause: { name: `event ${actor.actorId}`, number: event.number },
        via,
      },
    );
    await options.checkpoint('event-after-post');
    if (outcome === 'gone') return drop(actor, owed, 'link', 'the actor its link leads to is gone');
    if (outcome !== 'full') return 'told';
    if (ageOf(owed) < settings.linkKeepMs) return 'waits';
    return drop(actor, owed, 'link', 'the mailbox its link leads to stayed full');
  }

  async function targetOf(actor: ActorRef, { event }: OwedEvent): Promise<LinkTarget | undefined> {
    const known = await events.target(actor, event);
    if (known) return known;
    const actorId = isId(event.link) ? event.link : await options.aliasOf(actor.tenant, event.link);
    if (actorId === undefined) return undefined;
    return await events.decideTarget(actor, event, { actorId, executionId: options.nextExecutionId() });
  }

  async function deliverWebhooks(actor: ActorRef): Promise<void> {
    let hasFailed = false;
    for (let owed = await next(actor, 'webhook'); owed; owed = await next(actor, 'webhook')) {
      if (await waitsForLink(actor, owed)) return;
      if (hasFailed && ageOf(owed) < settings.webhookKeepMs) return;
      if (!hasFailed && !(await events.takeTurn(actor, owed.event, 2 * settings.webhookTimeoutMs))) return;
      const outcome: WebhookOutcome = hasFailed ? failedBefore : await postEvent(actor, owed);
      if (options.leaving.aborted && outcome.kind !== 'delivered') return;
      hasFailed = outcome.kind === 'failed';
      if (outcome.kind === 'failed' && ageOf(owed) < settings.webhookKeepMs) {
        const pauseMs = Math.min(mostPauseMs, Math.max(leastPauseMs, ageOf(owed)));
        log.debug({ ...actor, event: owed.event.number, reason: outcome.reason, pauseMs }, 'event put off');
        await events.putOff(actor, owed.event, pauseMs);
        return;
      }
      if (outcome.kind !== 'delivered') drop(actor, owed, 'webhook', outcome.reason);
      await events.done(actor, 'webhook', owed);
    }
  }

  /** The webhook is told of the link's execution, so it comes after it; of a later event the link may know nothing yet. */
  async function waitsForLink(actor: ActorRef, { event }: OwedEvent): Promise<boolean> {
    if (event.link === '') return false;
    const first = await events.first(actor, 'link');
    return first !== undefined && first.event.number <= event.number;
  }

  async function postEvent(actor: ActorRef, { event }: OwedEvent): Promise<WebhookOutcome> {
    const target = event.link === '' ? undefined : await events.target(actor, event);
    const dbId = `${actor.tenant}_${actor.actorId}`;
    const body = JSON.stringify({
      ...renderEvent(event, actor, target?.actorId),
      _abaco_Content_Type: 'application/json',
      _abaco_username: eventExecutor,
      _abaco_api_server: settings.apiServerOf(actor.tenant),
      ...(target ? { _abaco_execution_id: target.executionId } : {}),
    });
    const key = webhookKey(settings.signingKey, dbId);
    const headers = {
      'user-agent': 'abaco-hpc',
      // The same at every try, so that who has had the event knows it again.
      'idempotency-key': `${dbId}-${event.number}`,
      ...(settings.signingKey === '' ? {} : { 'x-abaco-signature': signWebhook(body, key, options.clock.now()) }),
    };
    return await options.post({ url: event.webhook, body, headers }, options.leaving);
  }

  async function next(actor: ActorRef, list: EventList): Promise<OwedEvent | undefined> {
    return options.leaving.aborted ? undefined : await events.first(actor, list);
  }

  function ageOf({ event }: OwedEvent): number {
    return Math.max(0, options.clock.now().getTime() - event.at);
  }

  function drop(actor: ActorRef, { event }: OwedEvent, list: EventList, reason: string): 'dropped' {
    log.warn({ ...actor, event: event.number, kind: event.kind, to: list, reason }, 'event dropped');
    return 'dropped';
  }

  /** Once at a time for each; what is begun meanwhile is looked at again. */
  function beginOnce(key: string, work: () => Promise<void>): Promise<void> {
    const running = underWay.get(key);
    if (running) {
      again.add(key);
      return running;
    }
    const started = repeat(key, work).finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  }

  function limitOf(tenant: string): ReturnType<typeof pLimit> {
    const limit = limits.get(tenant) ?? pLimit(mostPosts);
    limits.set(tenant, limit);
    return limit;
  }

  async function repeat(key: string, work: () => Promise<void>): Promise<void> {
    do {
      again.delete(key);
      await work();
    } while (again.has(key) && !options.leaving.aborted);
  }

  async function deliver(actor: ActorRef): Promise<void> {
    const name = `${actor.tenant}:${actor.actorId}`;
    await beginOnce(`link ${name}`, () => deliverLinks(actor));
    await beginOnce(`webhook ${name}`, () => limitOf(actor.tenant)(() => deliverWebhooks(actor)));
  }

  return {
    deliver,
    begin(actor) {
      const work = deliver(actor)
        .catch((thrown: unknown) =>
          log.warn({ ...actor, err: asError(thrown) }, 'events not told; they are at the next sweep'),
        )
        .finally(() => begun.delete(work));
      begun.add(work);
    },
    async idle() {
      await Promise.all(begun);
    },
  };
}

const failedBefore: WebhookOutcome = { kind: 'failed', reason: 'it was tried long enough' };
