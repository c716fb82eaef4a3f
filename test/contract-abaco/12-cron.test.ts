/**
 * Contract §12, and what §§7.1, 7.3, 7.4 and 7.16 say of schedules.
 *
 * Not as the original: what PUT leaves out is reset in either spelling, and a schedule that it repeats goes on as it
 * was; what was missed runs once and not once for each pass (§16); schedules are looked at with each sweep of a
 * supervisor and not every 50 s. That runs may overlap is shown by messages that wait beside one another. Not tested:
 * the value of `Time_msg_queued`, which has no meaning.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEnvironment } from '../../src/executions/environment.ts';
import { createScheduler, type Scheduler } from '../../src/workers/scheduler.ts';
import { ask, registerActor } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';

let api: ApiService;
let now = new Date('2027-01-31T06:20:00.000Z');
const clock = { now: () => now };

beforeAll(async () => {
  api = await startApiService();
  Object.assign(api.services, { clock });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const at = (text: string): Date => new Date(`${text}:20:00.000Z`);

function scheduler(checkpoint: (point: string) => Promise<void> = async () => undefined): Scheduler {
  const { actors, mailbox, ids, log } = api.services;
  return createScheduler({ actors, mailbox, nextExecutionId: () => ids.next(), clock, checkpoint, log });
}

async function look(id: string, by = scheduler()): Promise<void> {
  const actor = await api.services.actors.get('DEV', id);
  if (actor) await by.look(actor);
}

async function cronOf(id: string): Promise<object> {
  const { result } = await ask(api.app, `GET /actors/${id}`);
  const { cron_schedule, cron_on, cron_next_ex } = result as Readonly<Record<string, unknown>>;
  return { cron_schedule, cron_on, cron_next_ex };
}

const waiting = (actorId: string): Promise<number> => api.services.mailbox.depth({ tenant: 'DEV', actorId });

async function update(id: string, fields: object) {
  return await ask(api.app, `PUT /actors/${id}`, { json: { image: 'debian:trixie-slim', ...fields } });
}

describe('§12 the schedule', () => {
  it('is off and empty where none is given', async () => {
    expect(await cronOf(await registerActor(api))).toEqual({ cron_schedule: null, cron_on: false, cron_next_ex: null });
  });

  it.each([
    ['2027-01-31 06 + 2 days', '2027-01-31 06'],
    ['2027-02-01 00 + 1 week', '2027-02-01 00'],
    ['now + 1 hour', '2027-1-31 6'],
    ['Now + 3 months', '2027-1-31 6'],
  ])('%j is switched on by POST and due at %s', async (cron_schedule, cron_next_ex) => {
    now = at('2027-01-31T06');
    expect(await cronOf(await registerActor(api, { cron_schedule }))).toEqual({
      cron_schedule,
      cron_on: true,
      cron_next_ex,
    });
  });

  it.each([
    ['every day', 'The cron is not in the correct format'],
    ['now + 1 second', 'The cron is not in the correct format'],
    ['2027-02-30 06 + 1 day', 'The starting date "2027-02-30 06" is not in the correct format'],
    ['2027-01-31 05 + 1 day', 'The starting datetime is old. The current UTC time is 2027-1-31 6'],
  ])('%j is refused with 400', async (cron_schedule, message) => {
    now = at('2027-01-31T06');
    const answer = await ask(api.app, 'POST /actors', { json: { image: 'debian', cron_schedule } });
    expect(answer.status).toBe(400);
    expect(answer.message).toContain(message);
  });

  it('is switched on by PUT only where that says so, and off by one that does not', async () => {
    now = at('2027-01-31T06');
    const id = await registerActor(api);
    const cron_schedule = '2027-02-01 00 + 1 day';
    await update(id, { cron_schedule });
    expect(await cronOf(id)).toEqual({ cron_schedule, cron_on: false, cron_next_ex: '2027-02-01 00' });
    await update(id, { cron_schedule, cron_on: true });
    expect(await cronOf(id)).toMatchObject({ cron_on: true });
    await update(id, {});
    expect(await cronOf(id)).toEqual({ cron_schedule: null, cron_on: false, cron_next_ex: null });
  });

  it('that POST has switched on is off where PUT repeats it and does not say so', async () => {
    now = at('2027-01-31T06');
    const cron_schedule = '2027-02-01 00 + 1 day';
    const id = await registerActor(api, { cron_schedule, cron_on: true });
    expect(await cronOf(id)).toMatchObject({ cron_on: true });
    await update(id, { cron_schedule });
    expect(await cronOf(id)).toEqual({ cron_schedule, cron_on: false, cron_next_ex: '2027-02-01 00' });
  });

  it('goes on as it was where PUT repeats it after its start', async () => {
    now = at('2027-01-31T06');
    const cron_schedule = '2027-01-31 06 + 2 days';
    const id = await registerActor(api, { cron_schedule });
    await look(id);
    now = at('2027-02-01T09');
    expect((await update(id, { cron_schedule, cron_on: true })).status).toBe(200);
    expect(await cronOf(id)).toEqual({ cron_schedule, cron_on: true, cron_next_ex: '2027-2-2 6' });
  });

  it('that PUT repeats keeps nothing else from being replaced', async () => {
    const cron_schedule = 'now + 1 day';
    const id = await registerActor(api, { cron_schedule, description: 'before' });
    await update(id, { cron_schedule, description: 'after' });
    expect((await ask(api.app, `GET /actors/${id}`)).result).toMatchObject({ description: 'after' });
  });
});

describe('§12 the agent', () => {
  it('runs at the hour and moves on by the step, by the calendar for months', async () => {
    now = at('2027-01-31T06');
    const id = await registerActor(api, { cron_schedule: 'now + 1 month' });
    await look(id);
    expect(await waiting(id)).toBe(1);
    expect(await cronOf(id)).toMatchObject({ cron_next_ex: '2027-2-28 6' });
    await look(id);
    expect(await waiting(id)).toBe(1);
    now = at('2027-02-28T06');
    await look(id);
    expect(await waiting(id)).toBe(2);
  });

  it('runs once after an outage, for all times that were missed', async () => {
    now = at('2027-01-31T06');
    const id = await registerActor(api, { cron_schedule: 'now + 2 hours' });
    await look(id);
    now = at('2027-01-31T15');
    await look(id);
    expect(await waiting(id)).toBe(2);
    expect(await cronOf(id)).toMatchObject({ cron_next_ex: '2027-1-31 16' });
  });

  it('moves time on without running where the schedule is off', async () => {
    now = at('2027-01-31T06');
    const id = await registerActor(api);
    await update(id, { cron_schedule: 'now + 1 hour' });
    await look(id);
    expect(await waiting(id)).toBe(0);
    expect(await cronOf(id)).toMatchObject({ cron_next_ex: '2027-1-31 7' });
  });

  it('sends once for each time, whoever dies or sleeps on the way', async () => {
    now = at('2027-01-31T06');
    const id = await registerActor(api, { cron_schedule: 'now + 1 hour' });
    const stale = await api.services.actors.get('DEV', id);
    const dying = scheduler(async (point) => {
      if (point === 'schedule-after-post') throw new Error('killed here');
    });
    await expect(look(id, dying)).rejects.toThrow('killed here');
    expect(await cronOf(id)).toMatchObject({ cron_next_ex: '2027-1-31 6' });
    await Promise.all([look(id), look(id), look(id)]);
    expect(await waiting(id)).toBe(1);
    now = at('2027-01-31T07');
    await look(id);
    // One that read the actor an hour ago and wakes now.
    if (stale) await scheduler().look(stale);
    expect(await waiting(id)).toBe(2);
    expect(await cronOf(id)).toMatchObject({ cron_next_ex: '2027-1-31 8' });
  });

  it('sends the message of the contract, by the executor cron, without a user or an API server', async () => {
    now = at('2027-01-31T06');
    const id = await registerActor(api, { cron_schedule: 'now + 1 hour' });
    await look(id);
    const { claimed } = await takeMessage(api, id);
    expect(claimed.execution.executor).toBe('cron');
    const { message, execution } = claimed;
    const text = 'inline' in message.body ? Buffer.from(message.body.inline).toString() : '';
    expect(text).toBe('This is your cron execution');
    const actor = await api.services.actors.get('DEV', id);
    if (!actor) throw new Error('It was just registered');
    const environment = buildEnvironment({
      actor,
      execution,
      message,
      text,
      stateJson: '{}',
      configs: [],
      workerId: 'W',
      accessToken: '',
      apiServer: 'http://api',
      valueText: 'python',
    });
    expect(environment).toMatchObject({ MSG: text, _abaco_Content_Type: 'str', _abaco_actor_revision: '1' });
    expect(environment).toHaveProperty('Time_msg_queued');
    for (const absent of ['_abaco_username', '_abaco_api_server']) expect(environment).not.toHaveProperty(absent);
  });

  it('lets the time wait while the mailbox is full', async () => {
    now = at('2027-01-31T06');
    const id = await registerActor(api, { cron_schedule: 'now + 1 hour' });
    const full = createScheduler({
      ...api.services,
      mailbox: { postCaused: async () => 'full' },
      nextExecutionId: () => '',
      checkpoint: async () => undefined,
    });
    await look(id, full);
    expect(await cronOf(id)).toMatchObject({ cron_next_ex: '2027-1-31 6' });
  });
});

describe('§7.16 the cron endpoint', () => {
  it("is nobody's on the public application", async () => {
    const { status, message } = await ask(api.app, 'GET /cron');
    expect([status, message]).toEqual([400, 'Not authorized.']);
  });
});
