/** Promise 10, the Redis half: that it was away is noticed before anything passes over the new connection. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { onReconnect, openRedis } from '../../../src/storage/redis.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { until } from '../../support/until.ts';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('the connection to Redis', () => {
  let server: TestRedis;

  beforeEach(async () => {
    server = await startRedis({ appendfsync: 'always' });
  });

  afterEach(async () => {
    await server[Symbol.asyncDispose]();
  });

  it('tells of every return, before a command passes, and not of the first connection', async () => {
    const redis = await openRedis({ url: server.url, onError: () => undefined });
    const heard: string[] = [];
    onReconnect(redis, () => heard.push('back'));
    await redis.set('a', '1');
    expect(heard).toEqual([]);
    for (const times of [1, 2]) {
      await server.stop('SIGKILL');
      await server.start();
      await until(async () => (await redis.get('a').then((value) => heard.push(`read ${value}`))) > 0);
      expect(heard.splice(0)[0], `return ${times}`).toBe('back');
    }
    redis.disconnect();
  });

  it('fails commands at once while it is broken, and says so once an outage', async () => {
    const said: string[] = [];
    const redis = await openRedis({ url: server.url, onError: (error) => said.push(error.message) });
    await server.stop('SIGKILL');
    await expect(until(() => redis.ping(), { timeoutMs: 300 })).rejects.toThrow('in vain');
    await until(() => said.length > 0);
    expect(said).toHaveLength(1);
    await server.start();
    expect(await until(() => redis.ping())).toBe('PONG');
    redis.disconnect();
  });

  it('is refused with a sentence where nobody listens', async () => {
    await server.stop();
    await expect(openRedis({ url: server.url, onError: () => undefined })).rejects.toMatchObject({
      code: 'storage.unavailable',
      message: expect.stringMatching(/^Redis does not answer: /),
    });
  });
});
