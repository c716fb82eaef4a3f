/**
 * Routes of the API against bare fastify with the same validation and one GET of the same Redis: the same load, in one
 * process each. Where a route lists, once with 100 and once with 100,000 in the history: what is not returned must cost
 * nothing. And 10,000 messages in one batch against 10,000 single posts.
 */

import autocannon from 'autocannon';
import fastify from 'fastify';
import { Redis } from 'ioredis';
import type { SearchEntry } from '../src/history/search.ts';
import { type ApiService, startApiService } from '../test/support/api-service.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { compare, perSecond, report } from './rounds.ts';

const seconds = 2;
const rounds = 3;
const connections = 50;
const few = 100;
const many = 100_000;
const inBatch = 10_000;
const message = 'a message of a usual length, some words long';
const json = { 'content-type': 'application/json' };

/** `node_modules/.bin/node bench/api.ts get-actor search-100`: those alone; without any all of them. */
const parts = process.argv.slice(2);
const wanted = (name: string): boolean => parts.length === 0 || parts.includes(name);

await using service = await startApiService();
await service.app.listen({ port: 0, host: '127.0.0.1' });
const origin = service.app.listeningOrigin;
await using server = await startRedis();
const redis = new Redis(server.url, { enableAutoPipelining: true });
await redis.set('one', JSON.stringify({ id: 'one', image: 'bench' }));
const bare = fastify();
bare.get('/one/:id', { schema: { params: objectOf('id') } }, async () => ({ one: await redis.get('one') }));
/** Gives what is asked for as it was kept, as many bytes as ours. */
bare.get('/page/:id', { schema: { params: objectOf('id') } }, async (request, reply) =>
  reply.type('application/json').send(await redis.get((request.params as { readonly id: string }).id)),
);
bare.post('/messages', { schema: { body: objectOf('message') } }, async () => ({ one: await redis.get('one') }));
await bare.listen({ port: 0, host: '127.0.0.1' });

const actorId = await newActor(service);
const get = (path: string) => () => load({ url: `${origin}${path}` });
const plainGet = (): Promise<number> => load({ url: `${bare.listeningOrigin}/one/1` });
const post = { method: 'POST', headers: json, body: JSON.stringify({ message }) } as const;

await against('get-actor', get(`/actors/${actorId}`), plainGet);
await against(
  'post-message',
  () => load({ url: `${origin}/actors/${actorId}/messages`, ...post }),
  () => load({ url: `${bare.listeningOrigin}/messages`, ...post }),
);
await service.app.inject({ method: 'DELETE', url: `/actors/${actorId}/messages` });

const latest = await newActor(service);
const perPage = `actor=${latest}&limit=20`;
for (const count of [few, many]) {
  if (!wanted(`executions-${count}`) && !wanted(`search-${count}`)) continue;
  await fill(service, latest, count);
  await againstPage(`executions-${count}`, `/executions?${perPage}`);
  await againstPage(`search-${count}`, `/actors/${latest}/executions?executor=rare`);
}

const batched = await newActor(service);
await against(
  'batch',
  async () => {
    const messages = Array.from({ length: inBatch }, () => message);
    const started = performance.now();
    await send(`${origin}/actors/${batched}/messages/batch`, { messages });
    return (inBatch / (performance.now() - started)) * 1_000;
  },
  () => perSecond(inBatch, connections, () => send(`${origin}/actors/${batched}/messages`, { message })),
);

await bare.close();
redis.disconnect();

async function against(name: string, ours: () => Promise<number>, plain: () => Promise<number>): Promise<void> {
  if (wanted(name)) report(name, await compare(name, rounds, { ours, plain }));
}

/** A page is twenty things, of which the plain route has the text ready under one key. */
async function againstPage(name: string, path: string): Promise<void> {
  const answer = await fetch(`${origin}${path}`);
  await redis.set(name, await answer.text());
  await against(name, get(path), () => load({ url: `${bare.listeningOrigin}/page/${name}` }));
}

/** @returns answers per second; prints how long they took. */
async function load(asked: autocannon.Options): Promise<number> {
  const before = process.threadCpuUsage();
  const figures = await autocannon({ connections, duration: seconds, workers: 1, ...asked });
  const { user, system } = process.threadCpuUsage(before);
  if (figures.non2xx > 0 || figures.errors > 0) throw new Error(`${asked.url}: ${figures.non2xx} refused`);
  const { p50, p99 } = figures.latency;
  const each = ((user + system) / figures['2xx']).toFixed(0);
  const path = new URL(asked.url).pathname;
  console.log(`  ${asked.method ?? 'GET'} ${path}: p50 ${p50} ms, p99 ${p99} ms, ${each} µs of our thread each`);
  return figures['2xx'] / figures.duration;
}

async function send(url: string, body: object): Promise<void> {
  const answer = await fetch(url, { method: 'POST', headers: json, body: JSON.stringify(body) });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
}

async function newActor({ app }: ApiService): Promise<string> {
  const created = await app.inject({ method: 'POST', url: '/actors', payload: { image: 'bench' } });
  return created.json<{ readonly result: { readonly id: string } }>().result.id;
}

/** As many executions as the history is to hold of the actor; those that are there already stay. */
async function fill({ services }: ApiService, actor: string, count: number): Promise<void> {
  const atOnce = 1_000;
  for (let from = 0; from < count; from += atOnce) {
    const search = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => entryOf(actor, from + index));
    await services.history.write({ executions: [], registry: [], search });
  }
}

function entryOf(actor: string, index: number): SearchEntry {
  const id = `x${index}`;
  const fields = {
    id,
    actor_id: actor,
    tenant: 'DEV',
    executor: index < 20 ? 'rare' : 'usual',
    status: 'COMPLETE',
    exit_code: 0,
  };
  return { kind: 'executions', tenant: 'DEV', actorId: actor, id, version: 1, time: new Date(index), fields };
}

function objectOf(name: string): object {
  return { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] };
}
