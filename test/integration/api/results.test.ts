import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

describe('GET /actors/{id}/executions/{execution}/results', () => {
  it('answers one result after the other as raw bytes in the order sent, then nothing', async () => {
    const id = await registerActor(api);
    const path = `GET /actors/${id}/executions/${await sendMessage(api, id)}/results`;
    const played = await takeMessage(api, id);
    await played.start();
    await played.results(Buffer.from([0, 0xff, 10]), 'second');
    const first = await ask(api.app, path);
    expect(first.status).toBe(200);
    expect(first.headers['content-type']).toBe('application/octet-stream');
    expect([...first.bytes]).toEqual([0, 0xff, 10]);
    await played.end();
    expect((await ask(api.app, path)).text).toBe('second');
    const none = await ask(api.app, path);
    expect([none.status, none.bytes.length, none.headers['content-type']]).toEqual([
      200,
      0,
      'application/octet-stream',
    ]);
  });

  it('answers a result that was kept as a file', async () => {
    const id = await registerActor(api);
    const path = `GET /actors/${id}/executions/${await sendMessage(api, id)}/results`;
    const { claimed } = await takeMessage(api, id);
    const large = 'x'.repeat(100_000);
    const body = await api.services.blobs.put(Buffer.from(large));
    await api.services.mailbox.appendResults(claimed.lease, 0, [body]);
    expect((await ask(api.app, path)).text).toBe(large);
  });

  it('takes nothing away by HEAD', async () => {
    const id = await registerActor(api);
    const path = `/actors/${id}/executions/${await sendMessage(api, id)}/results`;
    await (await takeMessage(api, id)).results('kept');
    expect((await ask(api.app, `HEAD ${path}`)).status).toBe(200);
    expect((await ask(api.app, `GET ${path}`)).text).toBe('kept');
  });

  it('answers nothing for an execution that is unknown, before it started, and for no id at all', async () => {
    const id = await registerActor(api);
    for (const execution of [api.services.ids.next(), await sendMessage(api, id), 'not-an-id', '%00']) {
      const { status, bytes } = await ask(api.app, `GET /actors/${id}/executions/${execution}/results`);
      expect([status, bytes.length]).toEqual([200, 0]);
    }
  });

  it('gives each result to one of many readers', async () => {
    const id = await registerActor(api);
    const path = `GET /actors/${id}/executions/${await sendMessage(api, id)}/results`;
    const numbers = Array.from({ length: 20 }, (_, index) => String(index));
    await (await takeMessage(api, id)).results(...numbers);
    const answers = await Promise.all(Array.from({ length: 25 }, () => ask(api.app, path)));
    expect(
      answers
        .map(({ text }) => text)
        .filter(Boolean)
        .sort(),
    ).toEqual(numbers.toSorted());
  });
});
