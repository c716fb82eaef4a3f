/**
 * Contract §7.16, of which `/cron` is in 12-cron.test.ts.
 *
 * Not as the original: a look at the numbers runs nothing, since workers come with messages and schedules are looked at
 * by supervisors; so there is no text `Autoscaler disabled in Abaco.`, and no such period as 5 or 50 s. Numbers have
 * names of their own (OPERATIONS.md): those of the original were for its own autoscaler, and two of them count what is
 * not here, the command channel and OAuth clients. Who may read them is a setting, where the original trusted its
 * network.
 */

import { expect, it } from 'vitest';
import { ask, registerActor } from '../support/api-requests.ts';
import { startApiService } from '../support/api-service.ts';

it('7.16 tells Prometheus of workers and actors without an envelope, to this host alone', async () => {
  await using api = await startApiService();
  const actorId = await registerActor(api);
  const now = new Date();
  const worker = { tenant: 'DEV', actorId, image: 'x', hostId: 'h', location: 'l', createTime: now };
  await api.services.workers.save({ ...worker, id: 'wOne', status: 'busy', lastHealthCheckTime: now });
  api.services.metrics.countEnd({ launcher: 'local', outcome: 'exited' });
  const { status, text, headers } = await ask(api.app, 'GET /metrics');
  expect(status, text).toBe(200);
  expect(headers['content-type']).toMatch(/^text\/plain/);
  expect(text).toContain('\nactors 1\n');
  expect(text).toContain(`workers{tenant="DEV",actor_id="${actorId}",status="busy"} 1\n`);
  expect(text).toContain('executions_total{launcher="local",outcome="exited"} 1\n');
  const elsewhere = await api.app.inject({ url: '/metrics', remoteAddress: '192.0.2.1' });
  expect(elsewhere.statusCode).toBe(400);
});

it.each([
  ['everyone', 200],
  ['nobody', 400],
] as const)('7.16 is open to %s where the operator says so', async (openTo, expected) => {
  await using api = await startApiService({ settings: { ABACO_METRICS_OPEN_TO: openTo } });
  const { statusCode } = await api.app.inject({ url: '/metrics', remoteAddress: '192.0.2.1' });
  expect(statusCode).toBe(expected);
});
