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

describe('GET results?all=true', () => {
  /** Parts by their lengths alone, as a reader may who does not trust a boundary. */
  function partsOf(answer: Awaited<ReturnType<typeof ask>>): Buffer[] {
    const [, boundary] = /^multipart\/mixed; boundary=(\w+)$/.exec(String(answer.headers['content-type'])) ?? [];
    expect(boundary).toBeDefined();
    const parts: Buffer[] = [];
    let rest = answer.bytes;
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (end < 0) break;
      const head = rest.subarray(0, end).toString();
      expect(head.split('\r\n').slice(0, 2)).toEqual([`--${boundary}`, 'Content-Type: application/octet-stream']);
      const length = Number(/Content-Length: (\d+)/.exec(head)?.[1]);
      parts.push(rest.subarray(end + 4, end + 4 + length));
      rest = rest.subarray(end + 4 + length + 2);
    }
    expect(rest.toString()).toBe(`--${boundary}--\r\n`);
    return parts;
  }

  it('takes all there are, as they were sent and in their order, then none', async () => {
    const id = await registerActor(api);
    const path = `GET /actors/${id}/executions/${await sendMessage(api, id)}/results`;
    const played = await takeMessage(api, id);
    const sent = [Buffer.from([0, 13, 10, 255]), Buffer.from('\r\n--x--\r\n'), Buffer.from('third'), Buffer.from('4')];
    await played.results(...sent);
    expect((await ask(api.app, path)).bytes).toEqual(sent[0]);
    expect(partsOf(await ask(api.app, `${path}?all=true`))).toEqual(sent.slice(1));
    expect(partsOf(await ask(api.app, `${path}?all=TRUE`))).toEqual([]);
    expect((await ask(api.app, `${path}?all=no`)).bytes.length).toBe(0);
  });

  it('is read by any reader of multipart', async () => {
    const id = await registerActor(api);
    const path = `GET /actors/${id}/executions/${await sendMessage(api, id)}/results?all=true`;
    const { claimed } = await takeMessage(api, id);
    const large = await api.services.blobs.put(Buffer.from('x'.repeat(100_000)));
    await api.services.mailbox.appendResults(claimed.lease, 0, [{ inline: Buffer.from('one') }, large]);
    const answer = await ask(api.app, path);
    const boundary = String(answer.headers['content-type']).split('boundary=')[1] ?? '';
    const between = answer.text.split(`--${boundary}`).slice(1, -1);
    expect(between.map((part) => part.split('\r\n\r\n')[1]?.replace(/\r\n$/, ''))).toEqual([
      'one',
      'x'.repeat(100_000),
    ]);
  });

  it('ends after 1000, and the rest is for the next', async () => {
    const id = await registerActor(api);
    const path = `GET /actors/${id}/executions/${await sendMessage(api, id)}/results?all=true`;
    await (await takeMessage(api, id)).results(...Array.from({ length: 1_003 }, (_, index) => String(index)));
    expect(partsOf(await ask(api.app, path))).toHaveLength(1_000);
    expect(partsOf(await ask(api.app, path)).map(String)).toEqual(['1000', '1001', '1002']);
  });

  it('takes nothing away by HEAD', async () => {
    const id = await registerActor(api);
    const path = `/actors/${id}/executions/${await sendMessage(api, id)}/results?all=true`;
    await (await takeMessage(api, id)).results('kept');
    expect((await ask(api.app, `HEAD ${path}`)).status).toBe(200);
    expect(partsOf(await ask(api.app, `GET ${path}`)).map(String)).toEqual(['kept']);
  });
});
