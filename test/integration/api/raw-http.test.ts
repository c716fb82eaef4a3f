import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { connectRaw, listenOnLoopback, type RawConnection } from '../../support/api-socket.ts';
import { takeMessage } from '../../support/api-worker.ts';
import { until } from '../../support/until.ts';

let api: ApiService;
let port: number;
let actorId: string;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_MESSAGES_MAX_BYTES: '2 MB', ABACO_BLOBS_INLINE_BYTES: '1 KiB' } });
  port = await listenOnLoopback(api.app);
  actorId = await registerActor(api);
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

/** A request as bytes; `Host` is added. */
function head(line: string, ...headers: readonly string[]): string {
  return [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
}

const messages = (): string => `POST /actors/${actorId}/messages`;
const bytes = 'Content-Type: application/octet-stream';
const jsonType = 'Content-Type: application/json';

function envelopeOf(received: string): { readonly message: string; readonly status: string } {
  return JSON.parse(received.slice(received.indexOf('{"message"'), received.lastIndexOf('}') + 1)) as never;
}

async function waiting(): Promise<number> {
  return await api.services.mailbox.depth({ tenant: 'DEV', actorId });
}

describe('a body above the limit', () => {
  it.each([
    [
      'a binary message',
      () => head(messages(), bytes, 'Content-Length: 2000001'),
      'Message exceeds max content length of: 2000000',
    ],
    [
      'a JSON message',
      () => head(messages(), jsonType, 'Content-Length: 9999999'),
      'Message exceeds max content length of: 131067',
    ],
    [
      'any other body',
      () => head('POST /actors', jsonType, 'Content-Length: 1048577'),
      'Request body exceeds max content length of: 1048576',
    ],
  ])('is refused before a byte of it was sent: %s', async (_what, request, message) => {
    await using connection = await connectRaw(port, request());
    const received = await connection.until('}');
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(envelopeOf(received)).toMatchObject({ message, status: 'error' });
  });

  it('is answered while it is still being sent, so that the client reads why', async () => {
    await using connection = await connectRaw(port, head(messages(), bytes, 'Content-Length: 50000000'));
    for (let count = 0; count < 20; count += 1) connection.socket.write(Buffer.alloc(100_000));
    expect(envelopeOf(await connection.until('}')).message).toContain('max content length of: 2000000');
  });

  it('is refused to who asks first, without "100 Continue"', async () => {
    const request = head(messages(), bytes, 'Content-Length: 2000001', 'Expect: 100-continue');
    await using connection = await connectRaw(port, request);
    expect(await connection.until('}')).toMatch(/^HTTP\/1\.1 400 /);
    const small = head(messages(), bytes, 'Content-Length: 3', 'Expect: 100-continue');
    await using other = await connectRaw(port, small);
    await other.until('100 Continue');
    other.socket.write('abc');
    expect(await other.until('}')).toContain('HTTP/1.1 200');
  });

  it.each([
    ['JSON', jsonType],
    ['bytes with a parameter', `${bytes}; a=b`],
    ['a type nobody knows', 'Content-Type: a/b'],
  ])('is refused as soon as it is too long where no length was given: %s', async (_what, type) => {
    await using connection = await connectRaw(port, head(messages(), type, 'Transfer-Encoding: chunked'));
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    for (let count = 0; count < 17; count += 1) connection.socket.write(chunk);
    const received = await connection.until('}');
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(envelopeOf(received).message).toContain('exceeds max content length of: ');
  });

  it('is text above what an environment variable holds', async () => {
    const sent = await ask(api.app, `POST /actors/${actorId}/messages`, { json: { message: 'x'.repeat(131_068) } });
    expect(sent).toMatchObject({ status: 400, message: 'Message exceeds max content length of: 131067' });
    const largest = await ask(api.app, `POST /actors/${actorId}/messages`, { json: { message: 'x'.repeat(131_067) } });
    expect(largest.status).toBe(200);
  });
});

describe('a chunked body', () => {
  it('is read as JSON, but bytes need their length', async () => {
    const json = '{"message":"chunked"}';
    const chunks = `5\r\n${json.slice(0, 5)}\r\n${(json.length - 5).toString(16)}\r\n${json.slice(5)}\r\n0\r\n\r\n`;
    await using connection = await connectRaw(port, head(messages(), jsonType, 'Transfer-Encoding: chunked') + chunks);
    expect(envelopeOf(await connection.until('"version"'))).toMatchObject({
      status: 'success',
      result: { msg: 'chunked' },
    });
    await using binary = await connectRaw(
      port,
      `${head(messages(), bytes, 'Transfer-Encoding: chunked')}1\r\nx\r\n0\r\n\r\n`,
    );
    const refused = envelopeOf(await binary.until('}'));
    expect(refused.message).toBe('Content Length required for application/octet-stream.');
  });
});

describe('a client that hangs up in the middle of its message', () => {
  it('leaves no message behind', async () => {
    const before = await waiting();
    const half: RawConnection = await connectRaw(port, head(messages(), bytes, 'Content-Length: 1000000'));
    half.socket.write(Buffer.alloc(500_000));
    half.socket.resetAndDestroy();
    // Whatever comes after it on a new connection is served.
    expect((await ask(api.app, `${messages()}?message=after`)).status).toBe(200);
    await using next = await connectRaw(port, head('GET /health/live'));
    await next.until('"live":true');
    await expect.poll(waiting).toBe(before + 1);
  });
});

describe('the head of a request', () => {
  it('may hold 10,000 bytes', async () => {
    const headers = ['Connection: close', `X-Jwt-Assertion-DEV: ${'a'.repeat(10_000)}`];
    await using connection = await connectRaw(port, head('GET /actors', ...headers));
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 200 /);
    await using query = await connectRaw(
      port,
      head(`${messages()}?message=${'q'.repeat(10_000)}`, 'Content-Length: 0'),
    );
    expect(await query.until('"version"')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('is answered with 431 where it is longer than the limit', async () => {
    await using connection = await connectRaw(port, head('GET /actors', `X-Long: ${'a'.repeat(40_000)}`));
    const received = await connection.closed();
    expect(received).toMatch(/^HTTP\/1\.1 431 /);
    expect(envelopeOf(received)).toMatchObject({ status: 'error' });
  });
});

describe('a path with dots', () => {
  it.each([
    ['/../../etc/passwd', 405],
    ['/actors/../actors', 405],
    ['/actors/%2e%2e', 404],
    ['/actors/..%2f..%2fdocs', 404],
    ['/docs/static/../../package.json', 400],
    ['/docs/static/%2e%2e/%2e%2e/package.json', 400],
  ])('leads nowhere else: %s', async (path, status) => {
    await using connection = await connectRaw(port, head(`GET ${path}`, 'Connection: close'));
    expect(await connection.closed()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['noise', '\u0000\u0001\u0002\r\n\r\n'],
    ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001'],
    ['a length that is none', head('POST /actors', 'Content-Length: many')],
    ['two lengths', head('POST /actors', 'Content-Length: 1', 'Content-Length: 2')],
    ['length and chunks at once', head('POST /actors', 'Content-Length: 1', 'Transfer-Encoding: chunked')],
    ['a chunk that is none', `${head('POST /actors', jsonType, 'Transfer-Encoding: chunked')}zz\r\n`],
    ['a header with NUL', head('GET /actors', 'X: a\0b')],
  ])('is answered with 400 in the envelope and the connection closed: %s', async (_what, text) => {
    await using connection = await connectRaw(port, text);
    const received = await connection.closed();
    expect(received).toMatch(/^HTTP\/1\.1 400 /);
    expect(received).toContain('Access-Control-Allow-Origin: *');
    expect(envelopeOf(received)).toMatchObject({ status: 'error', result: null });
  });

  it('harms nobody else', async () => {
    const played = await takeMessage(api, actorId);
    await played.end();
    await using next = await connectRaw(port, head('GET /health/ready', 'Connection: close'));
    expect(await next.closed()).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('a server that stops', () => {
  it.each([
    ['while it still listens', true],
    ['when it listens no more', false],
  ])('answers a request it was reading, and then keeps no connection open: %s', async (_when, listening) => {
    const other = api.another({});
    const reading = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    other.addHook('onRequest', async () => reading.resolve());
    other.addHook('preClose', async () => {
      reached.resolve();
      if (listening) await answered.promise;
    });
    const body = '{"message":"late"}';
    const request = head(messages(), jsonType, `Content-Length: ${body.length}`);
    await using connection = await connectRaw(await listenOnLoopback(other), request + body.slice(0, 5));
    await reading.promise;
    const closed = other.close();
    await (listening ? reached.promise : until(() => !other.server.listening));
    connection.socket.write(body.slice(5));
    expect(await connection.closed()).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)*connection: close\r\n/i);
    answered.resolve();
    await closed;
  });
});
