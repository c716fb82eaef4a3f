/**
 * Contract §7.14. That any role may ask is in 05-4-access-table.test.ts, that its names are camel everywhere in
 * 02-case.test.ts.
 *
 * Not tested: a `commandQueue` that is not 0. Supervisors start workers without a queue between, so there is none to be
 * long.
 */

import { expect, it } from 'vitest';
import { ask, registerActor } from '../support/api-requests.ts';
import { startApiService } from '../support/api-service.ts';

it('7.14 counts actors of all tenants, those that were, and workers', async () => {
  await using api = await startApiService();
  const gone = await registerActor(api, {}, { tenant: 'ONE' });
  const actorId = await registerActor(api, {}, { tenant: 'TWO' });
  const now = new Date();
  const worker = { tenant: 'TWO', actorId, image: 'x', hostId: 'h', location: 'l', createTime: now };
  await api.services.workers.save({ ...worker, id: 'wOne', status: 'busy', lastHealthCheckTime: now });
  const dead = new Date(now.getTime() - 3_600_000);
  await api.services.workers.save({ ...worker, id: 'wTwo', status: 'busy', lastHealthCheckTime: dead });
  await ask(api.app, `DELETE /actors/${gone}`, { headers: { tenant: 'ONE' } });
  await api.services.outbox.catchUp({ tenant: 'ONE' }, 5_000);
  const { status, message, result } = await ask(api.app, 'GET /actors/utilization');
  expect([status, message]).toEqual([200, 'Abaco utilization returned successfully.']);
  expect(result).toEqual({ currentActors: 1, totalActors: 2, workers: 1, commandQueue: 0 });
});
