/**
 * Contract §11, and the link check of §7.3: what an actor's link and webhook are told.
 *
 * Not here: what the target's program finds in its environment (unit/executions/environment.test.ts); that a link to an
 * alias is found by a search (07-13-sharing.test.ts); which addresses webhooks may have, and that redirects are not
 * followed (integration/events/webhook.test.ts).
 *
 * Changed knowingly: an event that could not be told is kept and tried again, where the original logs it and goes on; a
 * webhook has a time limit and a signature; redirects are not followed, since nobody has judged where they lead;
 * addresses that are not public are refused unless `events.allow_private`. One actor's events are told in their order,
 * as by the original's one agent, but no actor waits for those of another. Not tested: a circle through webhooks, which
 * nobody can see from inside.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventDelivery, type EventDelivery } from '../../src/events/delivery.ts';
import { postWebhook, type WebhookRules } from '../../src/events/webhook.ts';
import type { Message } from '../../src/executions/execution.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { createLookUp } from '../../src/lib/look-up.ts';
import { ask, registerActor, sendMessage } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';
import { startNameServer } from '../support/name-server.ts';
import { claimsOf, makeTestKey, signToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';
import { startWebhookServer } from '../support/webhook-server.ts';

let api: ApiService;
let delivery: EventDelivery;
const key = makeTestKey();
const anywhere: WebhookRules = {
  allowPrivate: true,
  lookUp: createLookUp({ allowPrivate: true }),
  timeoutMs: 5_000,
};

beforeAll(async () => {
  api = await startApiService({
    siteFile: `
[events]
allow_private = true
signing_key = "a secret"
[tenants.DEV]
mode = "none"
[tenants.LAB]
public_key = """${key.publicPem}"""
`,
  });
  delivery = deliveryAt(systemClock);
});

function deliveryAt(clock: Clock, rules = anywhere): EventDelivery {
  const { services } = api;
  return createEventDelivery({
    ...services,
    aliasOf: async (tenant, alias) => (await services.aliases.get(tenant, alias))?.actorId,
    clock,
    post: (post, signal) => postWebhook(post, rules, signal),
    nextExecutionId: () => services.ids.next(),
    checkpoint: async () => undefined,
    leaving: new AbortController().signal,
    settings: { ...services.config.events, apiServerOf: (tenant) => `http://${tenant.toLowerCase()}` },
  });
}

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

type Document = Readonly<Record<string, unknown>>;

const refOf = (actorId: string) => ({ tenant: 'DEV', actorId });

async function endOne(actorId: string, end: { readonly exitCode?: number } = { exitCode: 0 }): Promise<string> {
  const id = await sendMessage(api, actorId);
  const played = await takeMessage(api, actorId);
  await played.start();
  await played.end(end);
  return id;
}

/** What waits for the actor, taken out. */
async function takeEvents(actorId: string): Promise<readonly { readonly message: Message; readonly body: Document }[]> {
  const taken = [];
  while ((await api.services.mailbox.depth(refOf(actorId))) > 0) {
    const played = await takeMessage(api, actorId);
    const { message } = played.claimed;
    const text = 'inline' in message.body ? Buffer.from(message.body.inline).toString() : '';
    taken.push({ message, body: JSON.parse(text) as Document });
    await played.end();
  }
  return taken;
}

/** Lets an alias stand for the actor, whether or not it stood for another. */
async function nameActor(alias: string, actorId: string): Promise<void> {
  const { aliases } = api.services;
  const held = await aliases.get('DEV', alias);
  const create = async () => await aliases.create({ tenant: 'DEV', alias, actorId, owner: 'anonymous' });
  const outcome = held ? await aliases.move(held, actorId, 'anonymous') : await create();
  if (outcome !== 'created' && outcome !== 'moved') throw new Error(`alias ${alias}: ${outcome}`);
}

async function update(actorId: string, fields: object) {
  return await ask(api.app, `PUT /actors/${actorId}`, { json: { image: 'debian:trixie-slim', ...fields } });
}

describe('§7.3 link check', () => {
  it('takes the id of an actor, and an alias of the tenant', async () => {
    const target = await registerActor(api);
    await nameActor('sink', target);
    for (const link of [target, 'sink']) {
      const source = await registerActor(api, { link });
      const { result } = await ask(api.app, `GET /actors/${source}`);
      expect(result).toMatchObject({ link });
    }
  });

  it.each(['no-such-alias', 'Rr'])('refuses %j, which leads to no actor', async (link) => {
    const answer = await ask(api.app, 'POST /actors', { json: { image: 'debian', link } });
    expect(answer.status).toBe(400);
    expect(answer.message).toContain('Invalid link parameter; unable to retrieve linked actor data.');
  });

  it('refuses an actor on which the caller has no EXECUTE, and one of another tenant', async () => {
    const bearer = (user: string) => ({
      tenant: 'LAB',
      authorization: `Bearer ${signToken(key.privateKey, { claims: claimsOf(user) })}`,
    });
    const json = { image: 'debian' };
    const { result } = await ask(api.app, 'POST /actors', { json, headers: bearer('jane') });
    const { id } = result as { readonly id: string };
    const own = await ask(api.app, 'POST /actors', { json: { ...json, link: id }, headers: bearer('jane') });
    expect(own.status).toBe(200);
    const other = await ask(api.app, 'POST /actors', { json: { ...json, link: id }, headers: bearer('john') });
    expect(other.message).toContain('permission EXECUTE');
    const grant = async (level: string) =>
      await ask(api.app, `POST /actors/${id}/permissions`, { json: { user: 'john', level }, headers: bearer('jane') });
    await grant('READ');
    const reader = await ask(api.app, 'POST /actors', { json: { ...json, link: id }, headers: bearer('john') });
    expect(reader.message).toContain('permission EXECUTE');
    await grant('EXECUTE');
    const granted = await ask(api.app, 'POST /actors', { json: { ...json, link: id }, headers: bearer('john') });
    expect(granted.status).toBe(200);
    expect((await ask(api.app, 'POST /actors', { json: { ...json, link: id } })).status).toBe(400);
  });

  it('refuses on PUT to link an actor to itself, also by an alias', async () => {
    const id = await registerActor(api);
    await nameActor('myself', id);
    for (const link of [id, 'myself']) {
      const { status, message } = await update(id, { link });
      expect([status, message]).toEqual([400, 'Invalid link parameter. An actor cannot link to itself.']);
    }
  });

  it('refuses on PUT what would close a circle of links', async () => {
    const last = await registerActor(api);
    const middle = await registerActor(api, { link: last });
    const first = await registerActor(api, { link: middle });
    const { status, message } = await update(last, { link: first });
    expect([status, message]).toEqual([400, 'Error: this update would result in a cycle of linked actors.']);
    expect((await update(last, {})).status).toBe(200);
  });
});

describe('§11 events', () => {
  it('are ACTOR_READY, ACTOR_ERROR and EXECUTION_COMPLETE, each with its data', async () => {
    const target = await registerActor(api);
    const source = await registerActor(api, { link: target }, { ready: false });
    await api.services.actors.markError(refOf(source), 1, 'Image is broken');
    await api.services.actors.markReady(refOf(source), 1, 'sha256:1');
    const execution = await endOne(source, { exitCode: 3 });
    await delivery.deliver(refOf(source));
    const bodies = (await takeEvents(target)).map(({ body }) => body);
    const common = {
      tenant_id: 'DEV',
      actor_id: source,
      actor_dbid: `DEV_${source}`,
      _abaco_link: `DEV_${target}`,
      _abaco_webhook: '',
      event_time_utc: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    };
    const withTime = bodies.map(({ event_time_display: display, ...body }) => {
      expect(display).toBe(body['event_time_utc']);
      return body;
    });
    expect(withTime).toEqual([
      { ...common, event_type: 'ACTOR_ERROR', status_message: 'Image is broken' },
      { ...common, event_type: 'ACTOR_READY', status_message: ' ' },
      { ...common, event_type: 'EXECUTION_COMPLETE', execution_id: execution, status: 'COMPLETE', exit_code: 3 },
    ]);
  });

  it('come about only where the actor has a link or a webhook, and never at a start', async () => {
    const target = await registerActor(api);
    const source = await registerActor(api);
    await endOne(source);
    expect((await update(source, { link: target })).status).toBe(200);
    await sendMessage(api, source);
    await (await takeMessage(api, source)).start();
    await delivery.deliver(refOf(source));
    expect(await takeEvents(target)).toEqual([]);
  });

  it('say how an execution ended that never started', async () => {
    const target = await registerActor(api);
    const source = await registerActor(api, { link: target }, { ready: false });
    await api.services.actors.markReady(refOf(source), 1, 'sha256:1');
    await sendMessage(api, source);
    await (await takeMessage(api, source)).end({ end: 'launch-failed' });
    await delivery.deliver(refOf(source));
    const { body } = (await takeEvents(target))[1] ?? {};
    expect(body).toMatchObject({ event_type: 'EXECUTION_COMPLETE', status: 'ERROR' });
  });
});

describe('§11 links', () => {
  it('are messages of the target with the executor Abaco Event, and JSON', async () => {
    const target = await registerActor(api);
    const source = await registerActor(api, { link: target });
    await delivery.deliver(refOf(source));
    const listed = await ask(api.app, `GET /actors/${target}/executions`);
    const { executions } = listed.result as { readonly executions: readonly { readonly id: string }[] };
    const shown = await ask(api.app, `GET /actors/${target}/executions/${executions[0]?.id}`);
    expect(shown.result).toMatchObject({ executor: 'Abaco Event', status: 'SUBMITTED' });
    const [event] = await takeEvents(target);
    expect(event?.message).toMatchObject({ contentType: 'application/json', cause: 'event', environment: {} });
  });

  it('lead where their alias stands when the event is told', async () => {
    const [before, after] = [await registerActor(api), await registerActor(api)];
    await nameActor('moving', before);
    const source = await registerActor(api, { link: 'moving' });
    await nameActor('moving', after);
    await delivery.deliver(refOf(source));
    expect(await takeEvents(before)).toEqual([]);
    expect((await takeEvents(after)).map(({ body }) => body['_abaco_link'])).toEqual([`DEV_${after}`]);
  });

  it('to a target that was deleted meanwhile are dropped, and hold up nothing', async () => {
    const target = await registerActor(api);
    const source = await registerActor(api, { link: target });
    expect((await ask(api.app, `DELETE /actors/${target}`)).status).toBe(200);
    await delivery.deliver(refOf(source));
    expect(await api.services.mailbox.load(refOf(source))).toMatchObject({ owesEvents: false });
  });

  it('in a circle that aliases made end after one round', async () => {
    const first = await registerActor(api);
    await nameActor('round', await registerActor(api));
    const second = await registerActor(api, { link: 'round' }, { ready: false });
    expect((await update(first, { link: second })).status).toBe(200);
    await nameActor('round', first);
    await api.services.actors.markReady(refOf(second), 1, 'sha256:1');
    await endOne(first);
    let runs = 0;
    for (let quiet = false; !quiet; ) {
      await delivery.deliver(refOf(first));
      await delivery.deliver(refOf(second));
      const ran = [...(await takeEvents(first)), ...(await takeEvents(second))].length;
      runs += ran;
      quiet = ran === 0;
    }
    // `second` is told the end of `first`; that it became ready itself goes to `first` and back, once.
    expect(runs).toBe(2);
  });
});

describe('§11 webhooks', () => {
  it('are posted the event with who and where, and the execution of the link where there is one', async () => {
    await using server = await startWebhookServer();
    const target = await registerActor(api);
    const source = await registerActor(api, { webhook: `${server.url}/hook`, link: target });
    await delivery.deliver(refOf(source));
    const sent = JSON.parse(server.received[0]?.body ?? '') as Document;
    const listed = await ask(api.app, `GET /actors/${target}/executions`);
    const { executions } = listed.result as { readonly executions: readonly { readonly id: string }[] };
    expect(sent).toMatchObject({
      event_type: 'ACTOR_READY',
      _abaco_webhook: `${server.url}/hook`,
      _abaco_link: `DEV_${target}`,
      _abaco_Content_Type: 'application/json',
      _abaco_username: 'Abaco Event',
      _abaco_api_server: 'http://dev',
      _abaco_execution_id: executions[0]?.id,
    });
  });

  it('alone name no link and no execution of one', async () => {
    await using server = await startWebhookServer();
    const source = await registerActor(api, { webhook: server.url });
    await delivery.deliver(refOf(source));
    const sent = JSON.parse(server.received[0]?.body ?? '') as Document;
    expect(sent).toMatchObject({ _abaco_link: '' });
    expect(sent).not.toHaveProperty('_abaco_execution_id');
  });

  it('name no execution where the link led to nobody', async () => {
    await using server = await startWebhookServer();
    const target = await registerActor(api);
    const source = await registerActor(api, { webhook: server.url, link: target });
    await ask(api.app, `DELETE /actors/${target}`);
    await delivery.deliver(refOf(source));
    const sent = JSON.parse(server.received[0]?.body ?? '') as Document;
    expect(sent).toMatchObject({ event_type: 'ACTOR_READY', _abaco_link: '' });
    expect(sent).not.toHaveProperty('_abaco_execution_id');
  });

  it('that do not answer well are tried again, in the order of the events, with the same key', async () => {
    let answers = 0;
    await using server = await startWebhookServer((_request, response) => {
      answers += 1;
      response.writeHead(answers === 1 ? 503 : 200).end();
    });
    const source = await registerActor(api, { webhook: server.url });
    const execution = await endOne(source);
    await delivery.deliver(refOf(source));
    await delivery.deliver(refOf(source));
    expect(server.received).toHaveLength(1);
    await api.services.events.putOff(
      refOf(source),
      { number: 1 } as Parameters<typeof api.services.events.putOff>[1],
      1,
    );
    while (server.received.length < 3) await delivery.deliver(refOf(source));
    const types = server.received.map(({ body }) => (JSON.parse(body) as Document)['event_type']);
    expect(types).toEqual(['ACTOR_READY', 'ACTOR_READY', 'EXECUTION_COMPLETE']);
    expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual([
      `DEV_${source}-1`,
      `DEV_${source}-1`,
      `DEV_${source}-2`,
    ]);
    expect(server.received[2]?.body).toContain(execution);
  });

  it('are signed by a key of the actor', async () => {
    await using server = await startWebhookServer();
    const source = await registerActor(api, { webhook: server.url });
    await delivery.deliver(refOf(source));
    expect(server.received[0]?.headers['x-abaco-signature']).toMatch(/^t=\d+,v1=[0-9a-f]{64}$/);
  });

  it('that do not answer are given up after their time, with all that is as old', async () => {
    await using server = await startWebhookServer((_request, response) => void response.writeHead(503).end());
    const source = await registerActor(api, { webhook: server.url });
    await endOne(source);
    const later = { now: () => new Date(Date.now() + api.services.config.events.webhookKeepMs) };
    await deliveryAt(later).deliver(refOf(source));
    expect(server.received).toHaveLength(1);
    expect(await api.services.mailbox.load(refOf(source))).toMatchObject({ owesEvents: false });
  });

  it('that never answer hold up neither the link beside them nor another actor', async () => {
    await using silent = await startWebhookServer(() => undefined);
    await using server = await startWebhookServer();
    const target = await registerActor(api);
    const stuck = await registerActor(api, { webhook: silent.url, link: target });
    const other = await registerActor(api, { webhook: server.url });
    let isOver = false;
    const underWay = delivery.deliver(refOf(stuck)).finally(() => (isOver = true));
    await until(() => silent.received.length === 1);
    await delivery.deliver(refOf(other));
    expect(server.received).toHaveLength(1);
    expect(await takeEvents(target)).toHaveLength(1);
    expect(isOver).toBe(false);
    await silent[Symbol.asyncDispose]();
    await underWay;
    expect(await api.services.mailbox.load(refOf(stuck))).toMatchObject({ owesEvents: true });
  });

  it('behind a name of this machine get nothing, and the event is dropped', async () => {
    await using server = await startWebhookServer();
    await using names = await startNameServer(() => ['127.0.0.1']);
    const servers = [names.address];
    const rules = { ...anywhere, allowPrivate: false, lookUp: createLookUp({ allowPrivate: false, servers }) };
    const source = await registerActor(api, { webhook: `http://inner.example.org:${server.port}/` });
    await deliveryAt(systemClock, rules).deliver(refOf(source));
    expect(server.received).toEqual([]);
    expect(await api.services.mailbox.load(refOf(source))).toMatchObject({ owesEvents: false });
  });

  it('that refuse an event do not get it again', async () => {
    await using server = await startWebhookServer((_request, response) => void response.writeHead(410).end());
    const source = await registerActor(api, { webhook: server.url });
    await delivery.deliver(refOf(source));
    await delivery.deliver(refOf(source));
    expect(server.received).toHaveLength(1);
    expect(await api.services.mailbox.load(refOf(source))).toMatchObject({ owesEvents: false });
  });
});
