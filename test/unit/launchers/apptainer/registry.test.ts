/** What is said of an image whose registry is opened by a server of tokens. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { resolveDigest } from '../../../../launchers/apptainer/registry.ts';
import { parseImageName } from '../../../../src/launcher/image-name.ts';

/** Why an image is not had, where this is what the server of tokens answers. */
async function refusalAfter(status: number): Promise<unknown> {
  const server = createServer((asked, answer) => {
    if (asked.url?.startsWith('/token')) return void answer.writeHead(status).end();
    const challenge = `Bearer realm="http://${asked.headers.host}/token",service="here"`;
    answer.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  try {
    const shown = `127.0.0.1:${(server.address() as AddressInfo).port}/a/tool:1`;
    await resolveDigest(parseImageName(shown), {
      shown,
      access: { username: '', password: '', insecure: true },
      tenant: 'T',
      architecture: 'amd64',
      isSif: false,
      signal: new AbortController().signal,
    });
    return undefined;
  } catch (thrown) {
    return thrown;
  } finally {
    server.close();
  }
}

describe('an image whose server of tokens', () => {
  it.each([400, 401, 403, 404])('says no with %i is denied', async (status) => {
    expect(await refusalAfter(status)).toMatchObject({ code: 'image.denied', retryable: false });
  });

  it.each([429, 500, 503])('is in trouble with %i may be had later', async (status) => {
    const refusal = await refusalAfter(status);
    expect(refusal).toMatchObject({ code: 'image.registry_unavailable', retryable: true });
    expect((refusal as Error).message).toMatch(new RegExp(`is opened by "127.0.0.1:\\d+", which answers ${status}$`));
  });
});
