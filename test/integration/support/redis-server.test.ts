import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';

import { startRedis } from '../../support/redis-server.ts';

describe('the redis-server of a test', () => {
  it('answers on its port and on its socket', async () => {
    await using server = await startRedis();
    const byPort = new Redis(server.url);
    const bySocket = new Redis(server.socketPath);
    await byPort.set('key', 'value');
    expect(await bySocket.get('key')).toBe('value');
    byPort.disconnect();
    bySocket.disconnect();
  });

  it('keeps what was written when it is killed and started again', async () => {
    await using server = await startRedis();
    const redis = new Redis(server.url, { retryStrategy: () => 10 });
    redis.on('error', () => undefined);
    await redis.set('key', 'value');
    const firstPid = server.pid();
    await server.stop('SIGKILL');
    await server.start();
    expect(await redis.get('key')).toBe('value');
    expect(server.pid()).not.toBe(firstPid);
    redis.disconnect();
  });

  it('refuses keys of two slots in one command when it is a cluster', async () => {
    await using server = await startRedis({ cluster: true, appendfsync: 'off' });
    const redis = new Redis(server.url);
    await expect(redis.mset('{a}1', '1', '{b}1', '1')).rejects.toThrow('CROSSSLOT');
    await expect(redis.mset('{a}1', '1', '{a}2', '1')).resolves.toBe('OK');
    redis.disconnect();
  });
});
