import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../src/errors.ts';
import { ask } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';

let api: ApiService;
let historyAway = false;

beforeAll(async () => {
  api = await startApiService({
    history: (real) => ({
      ...real,
      ping: async () => {
        if (historyAway) throw new UnavailableError('history.unavailable', 'History does not answer');
        await real.ping();
      },
    }),
  });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const ready = async (): Promise<{ readonly status: number; readonly report: Record<string, { ok: boolean }> }> => {
  const { status, text } = await ask(api.app, 'GET /health/ready');
  return { status, report: JSON.parse(text) as Record<string, { ok: boolean }> };
};

describe('health', () => {
  it('lives without asking anything', async () => {
    const { status, text } = await ask(api.app, 'GET /health/live');
    expect([status, text]).toEqual([200, '{"live":true}']);
  });

  it('is ready, and says that messages are not safe on this Redis', async () => {
    const { status, report } = await ready();
    expect(status).toBe(200);
    expect(report).toMatchObject({ ready: true, draining: false, redis: { ok: true }, history: { ok: true } });
    expect(report['durability']).toMatchObject({ ok: false });
  });

  it('is ready without the history, and says so', async () => {
    historyAway = true;
    const { status, report } = await ready();
    historyAway = false;
    expect(status).toBe(200);
    expect(report['history']).toEqual({ ok: false, detail: 'History does not answer' });
  });

  it('is not ready while it drains', async () => {
    api.services.health.draining = true;
    const { status, report } = await ready();
    api.services.health.draining = false;
    expect(status).toBe(503);
    expect(report).toMatchObject({ ready: false, draining: true });
  });

  it('is not ready without Redis, lives on, and is ready again by itself', async () => {
    await api.redis.stop('SIGKILL');
    const without = await ready();
    expect(without.status).toBe(503);
    expect(without.report).toMatchObject({ ready: false, redis: { ok: false } });
    expect((await ask(api.app, 'GET /health/live')).status).toBe(200);
    await api.redis.start();
    await expect.poll(async () => (await ready()).status, { timeout: 5_000 }).toBe(200);
  });
});
