import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { postWebhook, signWebhook, type WebhookOutcome, webhookKey } from '../../../src/events/webhook.ts';
import { createLookUp } from '../../../src/lib/look-up.ts';
import { optional } from '../../../src/lib/optional.ts';
import { startNameServer } from '../../support/name-server.ts';
import { until } from '../../support/until.ts';
import { startWebhookServer } from '../../support/webhook-server.ts';

const never = new AbortController().signal;

interface Rules {
  readonly allowPrivate?: boolean;
  readonly timeoutMs?: number;
  readonly servers?: readonly string[];
}

async function post(
  url: string,
  { allowPrivate = true, timeoutMs = 5_000, servers }: Rules = {},
): Promise<WebhookOutcome> {
  return await postWebhook(
    { url, body: '{"a":"é"}', headers: { 'idempotency-key': 'k' } },
    { allowPrivate, timeoutMs, lookUp: createLookUp({ allowPrivate, ...optional('servers', servers) }) },
    never,
  );
}

describe('postWebhook', () => {
  it('posts the body as JSON, with the headers it is given', async () => {
    await using server = await startWebhookServer();
    expect(await post(`${server.url}/hook?x-nonce=n`)).toEqual({ kind: 'delivered' });
    const [received] = server.received;
    expect(received).toMatchObject({ path: '/hook?x-nonce=n', body: '{"a":"é"}' });
    expect(received?.headers).toMatchObject({ 'content-type': 'application/json', 'idempotency-key': 'k' });
  });

  it('gives up on a server that never answers, and on one that stops within its answer', async () => {
    await using silent = await startWebhookServer(() => undefined);
    expect(await post(silent.url, { timeoutMs: 100 })).toEqual({ kind: 'failed', reason: 'no answer within 100 ms' });
    await using halting = await startWebhookServer((_request, response) => void response.write('a bit'));
    expect(await post(halting.url, { timeoutMs: 2_000 })).toEqual({ kind: 'delivered' });
  });

  it('reads no more than a bit of an answer of 10 MB, and knows its status', async () => {
    let written = 0;
    let isClosed = false;
    await using server = await startWebhookServer((_request, response) => {
      response.on('close', () => (isClosed = true));
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        while (written < 10_000_000 && !response.destroyed) {
          written += chunk.byteLength;
          if (!response.write(chunk)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    expect(await post(server.url)).toEqual({ kind: 'delivered' });
    await until(() => isClosed);
    expect(written).toBeLessThan(10_000_000);
  });

  it('follows no redirect', async () => {
    await using inner = await startWebhookServer();
    await using outer = await startWebhookServer((_request, response) => {
      response.writeHead(307, { location: inner.url }).end();
    });
    expect(await post(outer.url)).toEqual({ kind: 'refused', reason: 'it answered with status 307' });
    expect(inner.received).toEqual([]);
  });

  it.each([
    [400, 'refused'],
    [404, 'refused'],
    [408, 'failed'],
    [429, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
  ])('takes status %i as %s', async (status, kind) => {
    await using server = await startWebhookServer((_request, response) => void response.writeHead(status).end());
    expect(await post(server.url)).toMatchObject({ kind });
  });

  it('fails where nobody listens, and where there is no such name', async () => {
    const server = await startWebhookServer();
    await server[Symbol.asyncDispose]();
    expect(await post(server.url)).toMatchObject({ kind: 'failed' });
    expect(await post('http://name.invalid/')).toMatchObject({ kind: 'failed' });
  });

  it('reaches a name on this machine where private addresses are allowed', async () => {
    await using server = await startWebhookServer();
    expect(await post(`http://localhost:${server.port}/`)).toEqual({ kind: 'delivered' });
  });

  it.each([
    ['alone', ['127.0.0.1']],
    ['beside a public one', ['192.0.43.7', '127.0.0.1']],
    ['of IPv6', ['::1']],
  ])('never reaches a private address behind a name, %s', async (_how, addresses) => {
    await using server = await startWebhookServer();
    await using names = await startNameServer(() => addresses);
    const url = `http://inner.example.org:${server.port}/`;
    const outcome = await post(url, { allowPrivate: false, servers: [names.address] });
    expect(outcome).toMatchObject({ kind: 'refused' });
    expect(server.received).toEqual([]);
  });

  it('connects to what it looked at, whatever the name resolves to later', async () => {
    await using server = await startWebhookServer();
    let asked = 0;
    await using names = await startNameServer((kind) => {
      asked += 1;
      if (kind === 'AAAA') return [];
      return asked <= 2 ? ['192.0.43.7'] : ['127.0.0.1'];
    });
    const rules = { allowPrivate: false, servers: [names.address], timeoutMs: 500 };
    // The public address is nowhere near: the connection to it fails or takes too long.
    expect(await post(`http://rebinding.example.org:${server.port}/`, rules)).toMatchObject({ kind: 'failed' });
    expect([asked, server.received]).toEqual([2, []]);
  });

  it('never reaches a private address that is written as one', async () => {
    await using server = await startWebhookServer();
    for (const host of ['127.0.0.1', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '0.0.0.0']) {
      const outcome = await post(`http://${host}:${server.port}/`, { allowPrivate: false });
      expect(outcome, host).toMatchObject({ kind: 'refused' });
      expect(JSON.stringify(outcome), host).toContain('not public');
    }
    expect(server.received).toEqual([]);
  });
});

describe('signWebhook', () => {
  it('says when it was signed, and a digest of that and the body by the key of the actor', () => {
    const key = webhookKey('secret', 'DEV_A1');
    expect(key).toBe(createHmac('sha256', 'secret').update('DEV_A1').digest('hex'));
    const digest = createHmac('sha256', key).update('1.body').digest('hex');
    expect(signWebhook('body', key, new Date(1_999))).toBe(`t=1,v1=${digest}`);
  });
});
