/** A mailbox with all that stands beside it, on a real Redis, and workers played by the test. */

import type { Redis } from 'ioredis';
import type { ActorDraft } from '../../src/actors/actor-record.ts';
import { type ActorStore, createActorStore } from '../../src/actors/actor-store.ts';
import { type Claimed, type Lease, type Message, type Settlement, stateOfEnd } from '../../src/executions/execution.ts';
import { createExecutionStore, type ExecutionStore, hashToken } from '../../src/executions/execution-store.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource, type IdSource } from '../../src/lib/ids.ts';
import { type ActorKeys, type ActorRef, createKeys } from '../../src/mailbox/keys.ts';
import { createMailbox, type Mailbox } from '../../src/mailbox/mailbox.ts';
import { createNews, type News } from '../../src/mailbox/news.ts';
import { openRedis } from '../../src/storage/redis.ts';

export interface MailboxBench extends AsyncDisposable {
  readonly redis: Redis;
  readonly mailbox: Mailbox;
  readonly actors: ActorStore;
  readonly executions: ExecutionStore;
  readonly ids: IdSource;
  readonly news: News;
  /** Another mailbox on the same keys, with limits of its own. */
  mailboxWith(limits: Partial<Limits>): Mailbox;
  keysOf(actor: ActorRef): ActorKeys;
  /** Ready, unless it says otherwise. */
  newActor(settings?: Partial<ActorDraft> & { readonly ready?: boolean }): Promise<ActorRef>;
  /** @returns the execution's id. */
  post(actor: ActorRef, text?: string): Promise<string>;
  /** What a worker gets; throws when there is nothing. */
  claim(actor: ActorRef, workerId?: string, leaseMs?: number): Promise<Claimed>;
}

interface Limits {
  readonly maxWaiting: number;
  readonly idempotencyKeepMs: number;
  readonly resultsKeepMs: number;
}

/** More than anybody claims of a stateless actor. */
export const manyWorkers = 1_000_000;
export const place = 'local@here';
export const secret = 'a secret';

export async function openMailboxBench(url: string, prefix = 'test'): Promise<MailboxBench> {
  const connection = { url, onError: () => undefined };
  const redis = await openRedis(connection);
  const news = await createNews(await openRedis(connection), prefix);
  const stores = { redis, prefix };
  const limits: Limits = { maxWaiting: 0, idempotencyKeepMs: 60_000, resultsKeepMs: 60_000 };
  const mailbox = createMailbox({ ...stores, ...limits });
  const actors = createActorStore(stores);
  const ids = createIdSource({ processNumber: () => 1, clock: systemClock });
  return {
    redis,
    mailbox,
    actors,
    executions: createExecutionStore({ ...stores, resultsKeepMs: limits.resultsKeepMs }),
    ids,
    news,
    mailboxWith: (some) => createMailbox({ ...stores, ...limits, ...some }),
    keysOf: (actor) => createKeys(prefix).of(actor),
    async newActor({ ready = true, ...settings } = {}) {
      const draft = { ...anActorDraft(), id: ids.next(), ...settings };
      await actors.create(draft);
      const ref = { tenant: draft.tenant, actorId: draft.id };
      if (ready) await actors.markReady(ref, 1, 'sha256:0');
      return ref;
    },
    async post(actor, text = 'a message') {
      const executionId = ids.next();
      const outcome = await mailbox.post(actor, { executionId, message: aMessage(text) });
      if (outcome.kind !== 'posted') throw new Error(`The message was not taken: ${outcome.kind}`);
      return executionId;
    },
    async claim(actor, workerId = 'w1', leaseMs = 60_000) {
      const outcome = await mailbox.claim(actor, { workerId, leaseMs, workersPerActor: manyWorkers });
      if (outcome.kind !== 'leased') throw new Error(`Nothing to claim: ${outcome.kind}`);
      return outcome.claimed;
    },
    [Symbol.asyncDispose]: async () => {
      await news.close();
      redis.disconnect();
    },
  };
}

export function aMessage(text = 'a message'): Message {
  return { contentType: 'str', body: { inline: Buffer.from(text) }, environment: {}, executor: 'alice' };
}

export function aSettlement(settings: Partial<Settlement> = {}): Settlement {
  const ended = { end: 'exited', exitCode: 0, ...settings } as const;
  return {
    state: stateOfEnd(ended, 'complete'),
    ...ended,
    finishedAt: new Date(1_000),
    log: { body: { inline: Buffer.from('a log') }, truncated: false },
    ...settings,
  };
}

export function anIntent(attempt = 1): Parameters<Mailbox['recordIntent']>[1] {
  return { attempt, launcher: place, notAfter: new Date(86_400_000), tokenHash: hashToken(secret) };
}

export function aHandle({ executionId }: Lease, attempt = 1): Parameters<Mailbox['recordHandle']>[1] {
  return { launcher: 'local', executionId, attempt, nativeId: 'native', version: 1, state: {} };
}

export function anActorDraft(): ActorDraft {
  return {
    tenant: 'DEV',
    id: '',
    name: null,
    image: 'an/image',
    description: '',
    stateless: true,
    type: 'none',
    link: '',
    webhook: '',
    token: false,
    hints: [],
    privileged: false,
    maxWorkers: null,
    memLimit: null,
    maxCpus: null,
    useContainerUid: false,
    defaultEnvironment: {},
    resources: {},
    queue: 'default',
    cronSchedule: null,
    cronOn: false,
    cronNextEx: null,
    logEx: null,
    launcher: null,
    owner: 'alice',
    mounts: [],
    uid: null,
    gid: null,
    groups: [],
    tasdir: null,
    createTime: new Date(0),
    lastUpdateTime: new Date(0),
  };
}
