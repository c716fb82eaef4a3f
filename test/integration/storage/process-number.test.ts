import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { processNumbers } from '../../../src/lib/ids.ts';
import {
  leaseProcessNumber,
  type ProcessNumber,
  type ProcessNumberOptions,
} from '../../../src/storage/process-number.ts';
import { openRedis } from '../../../src/storage/redis.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { until } from '../../support/until.ts';

/** 'held', or the first words of why not. */
function outcomeOf(current: () => number): string {
  try {
    current();
    return 'held';
  } catch (thrown) {
    return (thrown as Error).message.split(',')[0] ?? '';
  }
}

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

  async function lease(now: () => number = Date.now, settings: Partial<ProcessNumberOptions> = {}) {
    const clock = { now: () => new Date(now()) };
    const number = await leaseProcessNumber({ redis, prefix: 'test', clock, onError: () => undefined, ...settings });
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

  it('is kept for as long as its holder lives', async () => {
    const number = await lease(Date.now, { leaseMs: 1_500 });
    const first = number.current();
    const left = () => redis.pttl(`test:process:${first}`);
    for (const renewal of ['first', 'second']) {
      await until(async () => (await left()) < 1_300);
      await until(async () => (await left()) > 1_300, { what: `the ${renewal} renewal` });
    }
    expect(number.current()).toBe(first);
  });

  it('is another one after its own went to somebody else', async () => {
    const number = await lease(Date.now, { leaseMs: 300 });
    const first = number.current();
    await redis.set(`test:process:${first}`, 'another');
    await until(() => number.current() !== first);
    expect(await redis.get(`test:process:${first}`)).toBe('another');
  });

  it('comes back by itself after Redis was away, and says the trouble meanwhile', async () => {
    await using own = await startRedis();
    const connection = await openRedis({ url: own.url, onError: () => undefined });
    const said: Error[] = [];
    const onError = (error: Error) => said.push(error);
    const number = await lease(Date.now, { redis: connection, leaseMs: 300, onError });
    await own.stop('SIGKILL');
    await until(() => said.length > 0);
    await until(() => outcomeOf(() => number.current()) === 'This process holds no process number');
    await own.start();
    await until(() => outcomeOf(() => number.current()) === 'held');
    expect(await connection.keys('*')).toEqual([`test:process:${number.current()}`]);
    await number.close();
    connection.disconnect();
  });

  it('is not taken again by a renewal that was under way when it was given back', async () => {
    await using own = await startRedis({ appendfsync: 'off' });
    const connection = await openRedis({ url: own.url, onError: () => undefined });
    const number = await lease(Date.now, { redis: connection, leaseMs: 3_000 });
    const first = `test:process:${number.current()}`;
    const other = await openRedis({ url: own.url, onError: () => undefined });
    await other.set(first, 'another');
    await other.client('PAUSE', 60_000, 'WRITE');
    await until(async () => /blocked_clients:1\b/.test(await other.info('clients')), { what: 'the renewal' });
    const closed = number.close();
    await other.client('UNPAUSE');
    await closed;
    await connection.ping();
    expect(await other.keys('*')).toEqual([first]);
    expect(() => number.current()).toThrow(/holds no process number/);
    connection.disconnect();
    other.disconnect();
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
