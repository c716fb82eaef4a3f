/**
 * What scripts say has happened, as it happens. Only a hint that saves waiting: a listener that missed one (a broken
 * connection) is told `missed`, and every user of it looks again by itself from time to time.
 */

import type { Redis } from 'ioredis';
import { type ActorRef, newsChannel } from './keys.ts';

export type NewsKind =
  | 'posted'
  | 'wait'
  | 'running'
  | 'results'
  | 'ended'
  | 'cancel'
  | 'actor'
  | 'state'
  | 'event'
  | 'missed';

export interface NewsItem extends ActorRef {
  readonly kind: NewsKind;
  readonly executionId: string;
}

export interface News {
  /** @returns what ends it. */
  listen(listener: (item: NewsItem) => void): () => void;
  /** Listens from now on for the next news that `wanted` accepts, or `missed`. */
  next(wanted: (item: NewsItem) => boolean, timeoutMs: number, signal?: AbortSignal): NewsWait;
  /** Resolves once everything that was said before has been told; rejects when the connection is away. */
  caughtUp(): Promise<void>;
  close(): Promise<void>;
}

/** A wait that has begun, so that what happens while its owner looks for itself is not missed. Disposed of, it is over. */
export interface NewsWait extends Disposable {
  /** Resolves at the news, or when the time is over; rejects when the signal aborts. */
  readonly come: Promise<void>;
}

/** @param subscriber a connection of its own: a subscribed one takes no other commands. */
export async function createNews(subscriber: Redis, prefix: string): Promise<News> {
  const listeners = new Set<(item: NewsItem) => void>();
  const tell = (item: NewsItem): void => {
    for (const listener of listeners) listener(item);
  };
  const start = newsChannel(prefix, { tenant: '', actorId: '' }).slice(0, -1);
  subscriber.on('pmessage', (_pattern, channel, text) => {
    const [tenant = '', actorId = ''] = channel.slice(start.length).split(':');
    const [kind = '', executionId = ''] = text.split(' ');
    tell({ kind: kind as NewsKind, tenant, actorId, executionId });
  });
  subscriber.on('ready', () => tell({ kind: 'missed', tenant: '', actorId: '', executionId: '' }));
  await subscriber.psubscribe(`${start}*`);

  const listen: News['listen'] = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  return {
    listen,
    next(wanted, timeoutMs, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const stop = listen((item) => {
        if (item.kind === 'missed' || wanted(item)) resolve();
      });
      const abort = (): void => reject(signal?.reason as Error);
      const timer = setTimeout(resolve, timeoutMs);
      if (signal?.aborted === true) abort();
      signal?.addEventListener('abort', abort);
      // Whoever is still looking may never come to wait for it.
      promise.catch(() => undefined);
      return {
        come: promise,
        [Symbol.dispose]() {
          clearTimeout(timer);
          stop();
          signal?.removeEventListener('abort', abort);
        },
      };
    },
    async caughtUp() {
      // The answer comes on the same connection, behind all messages that came before the question.
      await subscriber.ping();
    },
    async close() {
      listeners.clear();
      subscriber.disconnect();
    },
  };
}
