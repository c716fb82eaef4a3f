import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { actorsPath, createHttp, readBody } from '../../../src/client/http.ts';
import { type FakeHandler, startFakeService } from '../../support/fake-service.ts';
import { freePort } from '../../support/free-port.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

async function failure(answer: FakeHandler): Promise<unknown> {
  await using service = await startFakeService(answer);
  return await createHttp({ url: service.url })
    .result({ path: '/actors/v2' })
    .catch((thrown: unknown) => thrown);
}

describe('createHttp', () => {
  it('gives the result of the envelope', async () => {
    await using service = await startFakeService(() => ({ result: [1, 2] }));
    expect(await createHttp({ url: `${service.url}/` }).result({ path: '/actors/v2' })).toEqual([1, 2]);
  });

  it('keeps the path of the address, and adds the query', async () => {
    await using service = await startFakeService(() => ({ result: null }));
    await createHttp({ url: `${service.url}/gateway/` }).result({ path: '/actors/v2', query: { 'x y': 'a&b' } });
    expect(service.seen.map(({ line }) => line)).toEqual(['GET /gateway/actors/v2?x+y=a%26b']);
  });

  it('takes an address without http://', async () => {
    await using service = await startFakeService(() => ({ result: 1 }));
    expect(await createHttp({ url: service.url.replace('http://', '') }).result({ path: '/' })).toBe(1);
  });

  it('sends token and tenant', async () => {
    await using service = await startFakeService(() => ({ result: null }));
    await createHttp({ url: service.url, token: 'secret', tenant: 'TACC' }).result({ path: '/' });
    expect(service.seen[0]?.headers).toMatchObject({ authorization: 'Bearer secret', tenant: 'TACC' });
  });

  it.each([0, 1, 200_000])('sends a file of %i bytes with its length', async (length) => {
    await using service = await startFakeService(() => ({ result: null }));
    await using directory = await makeTestDirectory('http');
    const file = join(directory.path, 'message');
    writeFileSync(file, Buffer.alloc(length, 'x'));
    const http = createHttp({ url: service.url });
    await http.result({ method: 'POST', path: '/', body: { file, bytes: length } });
    expect(service.seen[0]?.body.length).toBe(length);
    expect(service.seen[0]?.headers['content-length']).toBe(String(length));
  });

  it('gives answers without an envelope as they are', async () => {
    await using service = await startFakeService(() => ({ body: new Uint8Array([0, 255]), contentType: 'x/y' }));
    const { body, headers } = await createHttp({ url: service.url }).send({ path: '/' });
    expect([...(await readBody(body))]).toEqual([0, 255]);
    expect(headers['content-type']).toBe('x/y');
  });

  it('says what to type when nothing listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await expect(createHttp({ url }).result({ path: '/' })).rejects.toMatchObject({
      code: 'service.unreachable',
      retryable: true,
      message: `Service "${url}" cannot be reached: nothing listens there; type "abaco up" to start a service, or give --url or ABACO_URL`,
    });
  });

  it('refuses an address of something else', () => {
    expect(() => createHttp({ url: 'ftp://x' })).toThrow(
      'Address "ftp://x" is not one of a service: it starts with http:// or https://',
    );
  });

  it.each([
    [400, 'InvalidError', false],
    [404, 'NotFoundError', false],
    [503, 'UnavailableError', true],
  ])('tells the message of the envelope on status %i', async (status, name, retryable) => {
    const error = await failure(() => ({ status, message: 'Actor "x" is unknown' }));
    expect(error).toMatchObject({ name, retryable, code: 'service.refused', message: 'Actor "x" is unknown' });
  });

  it('tells what there is where an error has no envelope', async () => {
    expect(await failure(() => ({ status: 502, body: '<h1>Bad gateway</h1>' }))).toMatchObject({
      message: 'The service answered 502: <h1>Bad gateway</h1>',
    });
  });

  it('says that something else answers', async () => {
    expect(await failure(() => ({ body: 'hello' }))).toMatchObject({
      message: expect.stringMatching(/^What answers at "http:\/\/127\.0\.0\.1:\d+" is not Abaco/),
    });
  });

  it('leaves when the signal aborts', async () => {
    await using service = await startFakeService(() => new Promise(() => undefined));
    const leaving = new AbortController();
    const asked = createHttp({ url: service.url }).result({ path: '/', signal: leaving.signal });
    leaving.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('actorsPath', () => {
  it('encodes its parts', () => {
    expect(actorsPath('a/../b?c', 'executions')).toBe('/actors/v2/a%2F..%2Fb%3Fc/executions');
  });

  it.each(['', '.', '..'])('refuses %j as an id', (id) => {
    expect(() => actorsPath(id)).toThrow(`Id "${id}" is not one of anything`);
  });
});
