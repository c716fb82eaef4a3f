/** Whether this process can serve: what load balancers and operators ask. */

import { asError } from '../errors.ts';

export interface HealthCheck {
  readonly ok: boolean;
  /** One line for people. */
  readonly detail: string;
}

export interface HealthReport {
  /** Requests would be served. Without the history they are; without Redis, or while draining, they are not. */
  readonly ready: boolean;
  readonly draining: boolean;
  readonly redis: HealthCheck;
  readonly history: HealthCheck;
  /** Whether an accepted message is on the disk before the answer is sent. */
  readonly durability: HealthCheck;
}

export interface Health {
  /** Set at the first stop signal: no new messages from then on. */
  draining: boolean;
  /** Resolves also when nothing answers. */
  report(): Promise<HealthReport>;
}

export interface HealthOptions {
  /** Resolves when Redis answers. */
  readonly redis: () => Promise<void>;
  readonly history: { ping(): Promise<void> };
  readonly durability: HealthCheck;
}

/** Longer than any answer that is worth waiting for, shorter than the patience of a load balancer. */
const patienceMs = 2_000;

export function createHealth(options: HealthOptions): Health {
  const health: Health = {
    draining: false,
    async report() {
      const [redis, history] = await Promise.all([check(options.redis), check(() => options.history.ping())]);
      const { draining } = health;
      return { ready: redis.ok && !draining, draining, redis, history, durability: options.durability };
    },
  };
  return health;
}

async function check(ask: () => Promise<void>): Promise<HealthCheck> {
  const patience = Promise.withResolvers<never>();
  const timer = setTimeout(() => patience.reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
  try {
    await Promise.race([ask(), patience.promise]);
    return { ok: true, detail: 'answers' };
  } catch (thrown) {
    return { ok: false, detail: asError(thrown).message };
  } finally {
    clearTimeout(timer);
  }
}
