import { describe, expect, it } from 'vitest';
import { renderCurl, renderCurlLoop, sendRequest } from '../../../scripts/demo/curl.ts';
import { startFakeService } from '../../support/fake-service.ts';

const url = 'http://127.0.0.1:8000';

describe('renderCurl', () => {
  it('is a line for a shell', () => {
    expect(renderCurl(url, { path: '/actors/v2' })).toBe('curl -s http://127.0.0.1:8000/actors/v2');
    expect(renderCurl(url, { path: '/actors/v2', json: { image: "it's" } })).toBe(
      `curl -s ${url}/actors/v2 -H 'Content-Type: application/json' -d '{"image":"it'\\''s"}'`,
    );
    expect(renderCurl(url, { path: '/m', message: { file: 'LICENSE' } })).toBe(
      `curl -s ${url}/m --data-urlencode message@LICENSE`,
    );
    expect(renderCurl(url, { path: '/m', message: 'to be' })).toBe(`curl -s ${url}/m --data-urlencode 'message=to be'`);
  });

  it('counts in a loop', () => {
    expect(renderCurlLoop(url, { path: '/m', message: 'message $n' }, 20)).toBe(
      `for n in $(seq 20); do curl -s ${url}/m -d "message=message $n" & done; wait`,
    );
  });
});

describe('sendRequest', () => {
  it('sends what the line says', async () => {
    await using fake = await startFakeService(() => ({ body: 'fine' }));
    expect(await sendRequest(fake.url, { path: '/m', message: 'to be' })).toEqual({ status: 200, body: 'fine' });
    await sendRequest(fake.url, { path: '/a', json: { image: 'i' } });
    expect(fake.seen.map(({ line, body }) => `${line} ${body.toString()}`)).toEqual([
      'POST /m message=to+be',
      'POST /a {"image":"i"}',
    ]);
  });
});
