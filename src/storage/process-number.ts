/** One of 1024 numbers, leased in Redis, that makes the ids of this process its own. No lease, no new ids. */

import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { asError, UnavailableError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { processNumbers } from '../lib/ids.ts';

export interface ProcessNumber {
  /** Throws `ids.no_lease` while the lease is not known to be held. */
  current(): number;
  /** Frees the number. Again is a no-op. */
  close(): Promise<void>;
}

export interface ProcessNumberOptions {
  readonly redis: Redis;
  readonly prefix: string;
  readonly clock: Clock;
  readonly onError: (error: Error) => void;
  /**
   * Renewed when a third of it is over. Where nothing is given, long enough for a Redis that restarts; a number whose
   * holder died is free again after it.
   */
  readonly leaseMs?: number;
}

/** Extends or frees the lease only where it is still the caller's. */
const renewIfOurs = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

export async function leaseProcessNumber(options: ProcessNumberOptions): Promise<ProcessNumber> {
  const { redis, clock, leaseMs = 30_000 } = options;
  const renewEveryMs = leaseMs / 3;
  const retryEveryMs = leaseMs / 30;
  const holder = randomBytes(16).toString('hex');
  let held: { readonly number: number; readonly untilMs: number } | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let renewal = Promise.resolve();

  const keyOf = (number: number): string => `${options.prefix}:process:${number}`;

  async function take(): Promise<void> {
    const first = randomBytes(2).readUInt16BE() % processNumbers;
    for (let step = 0; step < processNumbers; step += 1) {
      const number = (first + step) % processNumbers;
      const asked = clock.now().getTime();
      if ((await redis.set(keyOf(number), holder, 'PX', leaseMs, 'NX')) === 'OK') {
        held = { number, untilMs: asked + leaseMs };
        return;
      }
    }
    throw new UnavailableError(
      'ids.no_lease',
      `All ${processNumbers} process numbers are held; stop processes that are not needed`,
    );
  }

  async function renew(): Promise<void> {
    if (!held) return await take();
    const asked = clock.now().getTime();
    const renewed = await redis.eval(renewIfOurs, 1, keyOf(held.number), holder, leaseMs);
    held = renewed === 1 ? { number: held.number, untilMs: asked + leaseMs } : undefined;
    if (!held) await take();
  }

  function schedule(ms: number): void {
    timer = setTimeout(() => {
      renewal = renew().then(
        () => {
          if (!closed) schedule(renewEveryMs);
        },
        (thrown: unknown) => {
          options.onError(asError(thrown));
          if (!closed) schedule(retryEveryMs);
        },
      );
    }, ms);
    timer.unref();
  }

  await take();
  schedule(renewEveryMs);
  return {
    current() {
      if (held && clock.now().getTime() < held.untilMs) return held.number;
      throw new UnavailableError(
        'ids.no_lease',
        'This process holds no process number, so it makes no ids; it takes one as soon as Redis answers',
      );
    },
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      // It may have lost the number and be taking another one.
      await renewal;
      if (held) await redis.eval(renewIfOurs, 1, keyOf(held.number), holder, 0).catch(() => 0);
      held = undefined;
    },
  };
}
