/** Messages accepted over HTTP, against bare fastify with one XADD: the same Redis, the same load, one process each. */

import autocannon from 'autocannon';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import { startApiService } from '../test/support/api-service.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { compare, report } from './rounds.ts';

const seconds = 4;
const rounds = 5;
const connections = 50;
const body = JSON.stringify({ message: 'a message of a usual length, some words long' });

for (const appendfsync of ['everysec', 'always'] as const) {
  await using service = await startApiService({ appendfsync });
  await service.app.listen({ port: 0, host: '127.0.0.1' });
  const created = await service.app.inject({ method: 'POST', url: '/actors', payload: { image: 'bench' } });
  const { result } = created.json<{ readonly result: { readonly id: string } }>();
  await using server = await startRedis({ appendfsync });
  const redis = new Redis(server.url, { enableAutoPipelining: true });
  const bare = fastify();
  bare.post('/messages', { schema: { body: messageSchema() } }, async (request) => {
    const { message } = request.body as { readonly message: string };
    return { id: await redis.xadd('messages', '*', 'message', message) };
  });
  await bare.listen({ port: 0, host: '127.0.0.1' });
  const ratio = await compare(`post (fsync ${appendfsync})`, rounds, {
    ours: () => load(`${service.app.listeningOrigin}/actors/${result.id}/messages`),
    plain: () => load(`${bare.listeningOrigin}/messages`),
  });
  await bare.close();
  redis.disconnect();
  report(`post-${appendfsync}`, ratio);
}

function messageSchema(): object {
  return { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] };
}

/** @returns accepted requests per second; any other answer ends the bench. */
async function load(url: string): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const figures = await autocannon({ url, method: 'POST', headers, body, connections, duration: seconds, workers: 1 });
  if (figures.non2xx > 0 || figures.errors > 0) throw new Error(`${url}: ${figures.non2xx} refused`);
  return figures['2xx'] / figures.duration;
}
