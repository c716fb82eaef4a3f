/** The addresses of the API while an engine comes and goes. Another address of loopback plays the engine's bridge. */

import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenApi } from '../../../src/api/listen.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { until } from '../../support/until.ts';

const bridge = '127.0.0.2';

describe('listenApi', () => {
  let api: ApiService;

  beforeEach(async () => {
    api = await startApiService({ settings: { ABACO_SERVICE_PORT: '0' } });
  });

  afterEach(async () => {
    await api[Symbol.asyncDispose]();
  });

  /** Nothing where nobody listens. */
  const statusAt = (host: string, port: number): Promise<number | undefined> =>
    fetch(`http://${host}:${port}/actors/v2`).then(
      ({ status }) => status,
      () => undefined,
    );

  it('listens on the bridge of an engine that is there, for tokens alone', async () => {
    const listening = await listenApi(api.services, () => bridge);
    expect(listening.url).toBe(`http://127.0.0.1:${listening.port}`);
    expect(await statusAt('127.0.0.1', listening.port)).toBe(200);
    expect(await statusAt(bridge, listening.port)).toBe(400);
    await listening.close();
    expect(await statusAt(bridge, listening.port)).toBeUndefined();
  });

  it('begins to listen there when the engine makes it later', async () => {
    const engine: { bridge?: string } = {};
    const listening = await listenApi(api.services, () => engine.bridge);
    expect(await statusAt(bridge, listening.port)).toBeUndefined();
    engine.bridge = bridge;
    expect(await until(() => statusAt(bridge, listening.port))).toBe(400);
    await listening.close();
    expect(await statusAt(bridge, listening.port)).toBeUndefined();
  });

  it('tries again while the port is taken there', async () => {
    const engine: { bridge?: string } = {};
    let looks = 0;
    const listening = await listenApi(api.services, () => {
      looks += 1;
      return engine.bridge;
    });
    const other = createServer().listen(listening.port, bridge);
    engine.bridge = bridge;
    const before = looks;
    await until(() => looks > before + 1);
    other.close();
    expect(await until(() => statusAt(bridge, listening.port))).toBe(400);
    await listening.close();
  });
});
