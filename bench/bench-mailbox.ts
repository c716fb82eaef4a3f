/** A mailbox on a Redis of the bench's own, with an actor that is ready, and what every script here needs of it. */

import type { Redis } from 'ioredis';
import type { ActorDraft } from '../src/actors/actor-record.ts';
import { createActorStore } from '../src/actors/actor-store.ts';
import type { Message, Settlement } from '../src/executions/execution.ts';
import { systemClock } from '../src/lib/clock.ts';
import { createIdSource, type IdSource } from '../src/lib/ids.ts';
import type { ActorRef } from '../src/mailbox/keys.ts';
import { createMailbox, type Mailbox } from '../src/mailbox/mailbox.ts';
import { createNews, type News } from '../src/mailbox/news.ts';
import { openRedis } from '../src/storage/redis.ts';

export interface BenchMailbox extends AsyncDisposable {
  readonly mailbox: Mailbox;
  readonly redis: Redis;
  readonly news: News;
  readonly ids: IdSource;
  newActor(): Promise<ActorRef>;
}

export const message: Message = {
  contentType: 'str',
  body: { inline: Buffer.from('a message of a usual length, some words long') },
  environment: {},
  executor: 'bench',
};

export const settlement: Settlement = {
  end: 'exited',
  exitCode: 0,
  finishedAt: new Date(0),
  log: { body: { inline: new Uint8Array() }, truncated: false },
};

export const manyWorkers = 1_000_000;

export async function openMailbox(url: string): Promise<BenchMailbox> {
  const connection = { url, onError: (error: Error) => console.error(error.message) };
  const redis = await openRedis(connection);
  const news = await createNews(await openRedis(connection), 'bench');
  const options = { redis, prefix: 'bench' };
  const actors = createActorStore(options);
  const ids = createIdSource({ processNumber: () => 1, clock: systemClock });
  return {
    redis,
    news,
    ids,
    mailbox: createMailbox({ ...options, maxWaiting: 0, idempotencyKeepMs: 86_400_000, resultsKeepMs: 1_200_000 }),
    async newActor() {
      const id = ids.next();
      const ref = { tenant: 'BENCH', actorId: id };
      await actors.create({ ...draft, tenant: ref.tenant, id });
      await actors.markReady(ref, 1, 'sha256:0');
      return ref;
    },
    [Symbol.asyncDispose]: async () => {
      await news.close();
      redis.disconnect();
    },
  };
}

const draft: Omit<ActorDraft, 'tenant' | 'id'> = {
  name: null,
  image: 'bench',
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
  queue: 'default',
  logEx: null,
  launcher: null,
  owner: 'bench',
  mounts: [],
  uid: null,
  gid: null,
  tasdir: null,
  createTime: new Date(),
  lastUpdateTime: new Date(),
};
