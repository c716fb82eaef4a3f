/** What one turn of the event loop asks of Redis goes out in one write, and each answer comes as soon as it is there. */

import { describe, expect, it } from 'vitest';
import { openRedis } from '../../../src/storage/redis.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

const commands = 500;

describe.runIf(requireService('redis', await programAvailable('redis-server')))('commands of one turn', () => {
  it('are read by Redis together', async () => {
    await using server = await startRedis();
    const redis = await openRedis({ url: server.url, onError: () => undefined });
    const reads = async () => Number(/total_reads_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
    const before = await reads();
    const answers = await Promise.all(Array.from({ length: commands }, (_, index) => redis.echo(String(index))));
    expect(answers).toEqual(Array.from({ length: commands }, (_, index) => String(index)));
    // Its buffer may take two reads, and the question itself is one.
    expect((await reads()) - before).toBeLessThanOrEqual(4);
    redis.disconnect();
  });

  it('are each answered for themselves', async () => {
    await using server = await startRedis();
    const redis = await openRedis({ url: server.url, onError: () => undefined });
    const order: string[] = [];
    const fast = redis.ping().then(() => order.push('fast'));
    const slow = redis.blpop('nobody:fills', 0.05).then(() => order.push('slow'));
    const wrong = redis.incr('text').catch((thrown: Error) => thrown.message);
    await redis.ping();
    await Promise.all([fast, slow]);
    expect(order).toEqual(['fast', 'slow']);
    await redis.set('text', 'none');
    await expect(redis.incr('text')).rejects.toThrow('not an integer');
    expect(await wrong).toBe(1);
    redis.disconnect();
  });
});
