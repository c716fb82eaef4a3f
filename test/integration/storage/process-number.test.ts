import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { processNumbers } from '../../../src/lib/ids.ts';
import { leaseProcessNumber, type ProcessNumber } from '../../../src/storage/process-number.ts';
import { openRedis } from '../../../src/storage/redis.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('a process number', () => {
  let server: TestRedis;
  let redis: Redis;
  let leased: ProcessNumber[] = [];

  beforeAll(async () => {
    server = await startRedis({ appendfsync: 'off' });
    redis = await openRedis({ url: server.url, onError: () => undefined });
  });

  afterEach(async () => {
    for (const each of leased) await each.close();
    leased = [];
    await redis.flushall();
  });

  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  async function lease(now: () => number = Date.now): Promise<ProcessNumber> {
    const clock = { now: () => new Date(now()) };
    const number = await leaseProcessNumber({ redis, prefix: 'test', clock, onError: () => undefined });
    leased.push(number);
    return number;
  }

  it('is one that nobody else holds', async () => {
    const numbers = await Promise.all(Array.from({ length: 100 }, () => lease()));
    const held = new Set(numbers.map((each) => each.current()));
    expect(held.size).toBe(100);
    for (const number of held) expect(number).toBeGreaterThanOrEqual(0);
    for (const number of held) expect(number).toBeLessThan(processNumbers);
  });

  it('is free for others after it was given back, and runs out where its holder died', async () => {
    const number = await lease();
    const key = `test:process:${number.current()}`;
    const left = await redis.pttl(key);
    expect(left).toBeGreaterThan(20_000);
    expect(left).toBeLessThanOrEqual(30_000);
    await number.close();
    expect(await redis.exists(key)).toBe(0);
  });

  it('makes no ids once its lease may be over, and none after it was given back', async () => {
    let now = Date.now();
    const number = await lease(() => now);
    expect(number.current()).toBeTypeOf('number');
    now += 30_000;
    expect(() => number.current()).toThrow(/holds no process number/);
    const other = await lease();
    await other.close();
    expect(() => other.current()).toThrow(/holds no process number/);
  });

  it('leaves alone what another holds by now', async () => {
    const number = await lease();
    const key = `test:process:${number.current()}`;
    await redis.set(key, 'another');
    await number.close();
    expect(await redis.get(key)).toBe('another');
  });

  it('says that all are held', async () => {
    const all = Array.from({ length: processNumbers }, (_, number) => [`test:process:${number}`, 'another']);
    await redis.mset(Object.fromEntries(all) as Record<string, string>);
    await expect(lease()).rejects.toThrow(/All 1024 process numbers are held; stop processes/);
  });
});
