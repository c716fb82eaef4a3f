/**
 * Contract §7.6. Proved elsewhere: the choice of the message and its type from a form, a text and an object
 * (`integration/api/messages.test.ts`, `unit/api/message-request.test.ts`); that a purge ends what waited, which §16 calls
 * safe to mend. The environment that the server adds is §9.2 (`unit/executions/environment.test.ts`).
 *
 * Changed knowingly: query parameters become variables, but not those that loaders, interpreters and HTTP clients obey,
 * unless the sender may UPDATE the actor: else EXECUTE would be any code as the owner. `compat.message_variables = "any"`
 * takes all, as the original does.
 *
 * Not tested here: "at least one worker ensured": workers are the supervisor's (`e2e/demo.test.ts` runs what is sent).
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { as, type Client, sendAsJane, shareActor, startClient } from '../support/abaco-client.ts';
import { ask, type Question, registerActor, sendMessage } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';

let api: ApiService;
/** Of several users. */
let client: Client;

beforeAll(async () => {
  api = await startApiService({ settings: { ABACO_MESSAGES_MAX_BYTES: '1000' } });
  client = await startClient();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await client[Symbol.asyncDispose]();
});

const send = (id: string, question: Question, query = '') =>
  ask(api.app, `POST /actors/${id}/messages${query}`, question);

async function received(actorId: string, from = api): Promise<{ readonly type: string; readonly text: string }> {
  const { message } = (await takeMessage(from, actorId)).claimed;
  return { type: message.contentType, text: 'inline' in message.body ? String(Buffer.from(message.body.inline)) : '' };
}

describe('§7.6 GET and DELETE of messages', () => {
  it('answer the number that waits, without the one being processed, and the links', async () => {
    const id = await registerActor(api);
    for (const text of ['a', 'b']) await sendMessage(api, id, text);
    await takeMessage(api, id);
    const { result } = await ask(api.app, `GET /actors/${id}/messages`);
    expect(result).toStrictEqual({
      messages: 1,
      _links: {
        self: expect.stringContaining(`/actors/v2/${id}/messages`),
        owner: expect.stringContaining('/profiles/v2/'),
      },
    });
  });

  it('link to the owner of the actor, whoever asks and whoever has sent', async () => {
    const { actor } = await sendAsJane(client);
    await shareActor(client, actor, 'jane', 'UPDATE');
    for (const verb of ['GET', 'DELETE']) {
      const { result } = await client.send(`${verb} /actors/${actor}/messages`, as('jane'));
      expect(result._links.owner, verb).toMatch(/\/profiles\/v2\/olga$/);
    }
  });

  it('purge what waits', async () => {
    const id = await registerActor(api);
    await sendMessage(api, id);
    const { status, result } = await ask(api.app, `DELETE /actors/${id}/messages`);
    expect([status, result.msg]).toEqual([200, 'Actor mailbox purged.']);
    expect(Object.keys(result._links as object).toSorted()).toEqual(['owner', 'self']);
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(0);
  });
});

describe('§7.6 POST of a message', () => {
  it('answers the id, the message and links, and stores an execution in SUBMITTED of the caller', async () => {
    const id = await registerActor(api);
    const { result } = await send(id, { json: { message: 'hello' } });
    const { execution_id: eid, msg, _links } = result;
    expect(msg).toBe('hello');
    expect(Object.keys(_links as object).toSorted()).toEqual(['messages', 'owner', 'self']);
    const execution = (await ask(api.app, `GET /actors/${id}/executions/${eid}`)).result;
    expect(execution).toMatchObject({ status: 'SUBMITTED', executor: 'anonymous' });
  });

  it('links to the execution, the mailbox and the owner of the actor, who need not be the sender', async () => {
    const { actor, sent } = await sendAsJane(client);
    const { execution_id: eid, _links } = sent.result;
    const base = /^(.+)\/actors\/v2\//.exec(_links.self as string)?.[1];
    expect(_links).toEqual({
      self: `${base}/actors/v2/${actor}/executions/${eid}`,
      owner: `${base}/profiles/v2/olga`,
      messages: `${base}/actors/v2/${actor}/messages`,
    });
    const { result } = await client.send(`GET /actors/${actor}/executions/${eid}`, as('olga'));
    expect(result.executor).toBe('jane');
  });

  it('takes the query before the form, and the field before the body', async () => {
    const id = await registerActor(api);
    await send(id, { form: 'message=form' }, '?message=query');
    expect(await received(id)).toEqual({ type: 'str', text: 'query' });
  });

  it.each([
    [{ a: 1 }, "{'a': 1}"],
    [42, '42'],
    [['first', 'second'], 'first'],
  ])('turns %j under message into text', async (message, text) => {
    const id = await registerActor(api);
    await send(id, { json: { message } });
    expect(await received(id)).toEqual({ type: 'str', text });
  });

  it('needs the length of bytes, and refuses too many of them', async () => {
    const id = await registerActor(api);
    const headers = { 'content-type': 'application/octet-stream' };
    const large = await send(id, { body: Buffer.alloc(1_001), headers });
    expect([large.status, large.message]).toEqual([400, 'Message exceeds max content length of: 1000']);
    const sent = await send(id, { body: Buffer.alloc(1_000), headers });
    expect([sent.status, sent.result.msg]).toEqual([200, 'binary - omitted']);
  });

  it('refuses so what is more than the tenant may send, whichever way it is sent', async () => {
    await using small = await startClient('max_message_bytes = 1000\n');
    const id = await small.register();
    const path = `POST /actors/${id}/messages`;
    const headers = { ...as('olga'), 'content-type': 'application/octet-stream' };
    const refused = [400, 'Message exceeds max content length of: 1000'];
    for (const [length, expected] of [
      [1_001, refused],
      [1_000, [200, 'The request was successful']],
    ] as const) {
      const text = await small.send(path, as('olga'), { json: { message: 'x'.repeat(length) } });
      expect([text.status, text.message]).toEqual(expected);
      const bytes = await small.send(path, headers, { body: Buffer.alloc(length) });
      expect([bytes.status, bytes.message]).toEqual(expected);
    }
    const messages = ['x'.repeat(1_001), { binary: Buffer.alloc(1_001).toString('base64') }, 'short'];
    const { result } = await small.send(`${path}/batch`, as('olga'), { json: { messages } });
    expect(result).toMatchObject({ posted: 1, refused: 2 });
    expect(result.messages[1].error.message).toBe(refused[1]);
  });

  it('takes JSON as it is, and of another type as text', async () => {
    const id = await registerActor(api);
    await send(id, { json: { n: 1 } });
    expect(await received(id)).toEqual({ type: 'application/json', text: '{"n":1}' });
    await send(id, { body: '{"n": 1}', headers: { 'content-type': 'text/plain' } });
    expect(await received(id)).toEqual({ type: 'str', text: "{'n': 1}" });
  });

  it('makes of both a text that is JSON with compat.value_text = "json", also in a batch', async () => {
    await using strict = await startApiService({ settings: { ABACO_COMPAT_VALUE_TEXT: 'json' } });
    const id = await registerActor(strict);
    await ask(strict.app, `POST /actors/${id}/messages`, { json: { message: { a: [true, null] } } });
    const headers = { 'content-type': 'text/plain' };
    await ask(strict.app, `POST /actors/${id}/messages`, { body: '{"n": true}', headers });
    const messages = [{ message: { a: true }, environment: { LIST: [false] } }];
    await ask(strict.app, `POST /actors/${id}/messages/batch`, { json: { messages } });
    expect(await received(id, strict)).toEqual({ type: 'str', text: '{"a":[true,null]}' });
    expect(await received(id, strict)).toEqual({ type: 'str', text: '{"n":true}' });
    const { message } = (await takeMessage(strict, id)).claimed;
    expect('inline' in message.body && Buffer.from(message.body.inline).toString()).toBe('{"a":true}');
    expect(message.environment).toEqual({ LIST: '[false]' });
  });

  describe('with variables that say which code runs', () => {
    const question = { json: { message: 'm' } };
    const sendAs = (who: Record<string, string>, actor: string, query: string, json: object = question.json) =>
      client.send(`POST /actors/${actor}/messages${query}`, who, { json });
    const nonce = async (actor: string, level: string) =>
      (await client.send(`POST /actors/${actor}/nonces`, as('olga', 'admin'), { json: { level } })).result.id as string;

    it('is refused of who may EXECUTE alone, also by a nonce and as a binary, and nothing waits', async () => {
      const actor = await client.register('olga');
      await shareActor(client, actor, 'jane', 'EXECUTE');
      const key = await nonce(actor, 'EXECUTE');
      for (const [who, query] of [
        [as('jane'), '?LD_PRELOAD=/_abaco_binary_data'],
        [as('jane'), '?A=1&BASH_ENV=/_abaco_binary_data'],
        [{}, `?x-nonce=${key}&https_proxy=http://evil.example`],
      ] as const) {
        const { status, message } = await sendAs(who, actor, query);
        expect(status).toBe(400);
        expect(message).toMatch(
          /^Invalid query parameter: variable "\w+" is not for a message: .* may UPDATE the actor/,
        );
      }
      const body = Buffer.from('\x7fELF');
      const headers = { ...as('jane'), 'content-type': 'application/octet-stream' };
      const line = `POST /actors/${actor}/messages?LD_PRELOAD=/_abaco_binary_data`;
      expect((await ask(client.api.app, line, { body, headers })).status).toBe(400);
      expect(await client.api.services.mailbox.depth({ tenant: 'PHYSICS', actorId: actor })).toBe(0);
    });

    it('is refused in a batch: all for those of all, and one for its own', async () => {
      const actor = await client.register('olga');
      await shareActor(client, actor, 'jane', 'EXECUTE');
      expect((await sendAs(as('jane'), actor, '/batch?PATH=/x', { messages: ['m'] })).status).toBe(400);
      const messages = [
        'm',
        { message: 'm', environment: { PYTHONPATH: '/x' } },
        { message: 'm', environment: { A: 1 } },
      ];
      const { result } = await sendAs(as('jane'), actor, '/batch', { messages });
      expect(result).toMatchObject({ posted: 2, refused: 1 });
      expect(result.messages[1].error.message).toContain('Invalid batch: variable "PYTHONPATH" is not for a message');
      expect((await sendAs(as('olga'), actor, '/batch?PATH=/x', { messages })).result).toMatchObject({ posted: 3 });
    });

    it('is taken of who may UPDATE: the owner, others, administrators, a nonce of that level', async () => {
      const actor = await client.register('olga');
      await shareActor(client, actor, 'eve', 'UPDATE');
      const key = await nonce(actor, 'UPDATE');
      for (const [who, more] of [
        [as('olga'), ''],
        [as('eve'), ''],
        [as('root', 'admin'), ''],
        [{}, `&x-nonce=${key}`],
      ] as const) {
        expect((await sendAs(who, actor, `?LD_PRELOAD=/x${more}`)).status).toBe(200);
        expect((await takeMessage(client.api, actor, 'PHYSICS')).claimed.message.environment['LD_PRELOAD']).toBe('/x');
      }
    });

    it('is told of who may not send at all as everything is', async () => {
      const actor = await client.register('olga');
      expect((await sendAs(as('jane'), actor, '?PATH=/x')).message).toMatch(/^Not authorized/);
    });

    it('is taken of everybody with compat.message_variables = "any"', async () => {
      await using lenient = await startClient('', { settings: { ABACO_COMPAT_MESSAGE_VARIABLES: 'any' } });
      const actor = await lenient.register('olga');
      await shareActor(lenient, actor, 'jane', 'EXECUTE');
      const line = `POST /actors/${actor}/messages?LD_PRELOAD=/x`;
      expect((await lenient.send(line, as('jane'), question)).status).toBe(200);
    });
  });

  it.each<[string, Question]>([
    ['nothing', {}],
    ['text that is no JSON', { body: 'hello', headers: { 'content-type': 'text/plain' } }],
    ['JSON that counts as false', { json: {} }],
    [
      'bytes with a parameter in their type',
      { body: 'abc', headers: { 'content-type': 'application/octet-stream; a=b' } },
    ],
  ])('is refused where it is %s', async (_what, question) => {
    const { status, message } = await send(await registerActor(api), question);
    expect([status, message]).toEqual([
      400,
      'message POST body could not be serialized. Pass JSON data or use the message attribute.',
    ]);
  });

  it('stores all query parameters but message, the first value of repeated ones', async () => {
    const id = await registerActor(api);
    await send(id, { json: { message: 'm' } }, '?A=1&A=2&x-nonce=N&_abaco_synchronous=False');
    const { environment } = (await takeMessage(api, id)).claimed.message;
    expect(environment).toEqual({ A: '1', 'x-nonce': 'N', _abaco_synchronous: 'False' });
  });

  it('is accepted whatever the status of the actor; in ERROR it waits', async () => {
    const id = await registerActor(api, {}, { ready: false });
    await api.services.actors.markError({ tenant: 'DEV', actorId: id }, 1, 'no such image');
    expect((await send(id, { json: { message: 'm' } })).status).toBe(200);
    expect((await ask(api.app, `GET /actors/${id}/messages`)).result.messages).toBe(1);
  });

  it('is spelled in camel form where the tenant is', async () => {
    await using camel = await startApiService({ settings: { ABACO_SERVICE_CASE: 'camel' } });
    const id = await registerActor(camel);
    const { result } = await ask(camel.app, `POST /actors/${id}/messages`, { json: { message: 'm' } });
    expect(Object.keys(result as object).toSorted()).toEqual(['_links', 'executionId', 'msg']);
  });
});
