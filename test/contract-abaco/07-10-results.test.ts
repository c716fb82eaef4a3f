/**
 * Contract §7.10. Proved elsewhere: that a datagram without a byte is dropped (`unit/launcher/result-frames.test.ts`, and the
 * native helper's `results.sh`).
 *
 * Not tested: that Redis forgets them once the 20 minutes are over, which is its own; what is tested is that it was told the
 * time at the end, and again at each use.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeys } from '../../src/mailbox/keys.ts';
import { openRedis } from '../../src/storage/redis.ts';
import { ask, registerActor, sendMessage } from '../support/api-requests.ts';
import { type ApiService, startApiService } from '../support/api-service.ts';
import { takeMessage } from '../support/api-worker.ts';

const minuteMs = 60_000;

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

describe('§7.10 results', () => {
  it('are read one by one in the order sent, without an envelope, until an empty answer', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const played = await takeMessage(api, id);
    await played.start();
    await played.results('one', Buffer.from([0, 1]), 'three');
    await played.end();
    const read: string[] = [];
    for (;;) {
      const { status, headers, bytes } = await ask(api.app, `GET /actors/${id}/executions/${execution}/results`);
      expect([status, headers['content-type']]).toEqual([200, 'application/octet-stream']);
      if (bytes.length === 0) break;
      read.push(bytes.toString('latin1'));
    }
    expect(read).toEqual(['one', '\0\x01', 'three']);
  });

  it('of an execution that is unknown, or had none, are an empty body with 200', async () => {
    const id = await registerActor(api);
    for (const execution of [api.services.ids.next(), await sendMessage(api, id)]) {
      const { status, bytes } = await ask(api.app, `GET /actors/${id}/executions/${execution}/results`);
      expect([status, bytes.length]).toEqual([200, 0]);
    }
  });

  it('are kept for 20 minutes after their last use', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const played = await takeMessage(api, id);
    await played.start();
    await played.results('one', 'two');
    await played.end();
    const redis = await openRedis({ url: api.redis.url, onError: () => undefined });
    const of = createKeys(api.services.config.redis.prefix).of({ tenant: 'DEV', actorId: id });
    /** Of the results, and of how many of them were read. */
    const left = async () =>
      await Promise.all([of.results(execution), of.resultsRead(execution)].map((key) => redis.pttl(key)));
    const isWhole = (ms: number | undefined) => {
      expect(ms).toBeGreaterThan(19 * minuteMs);
      expect(ms).toBeLessThanOrEqual(20 * minuteMs);
    };
    isWhole((await left())[0]);
    for (const text of ['one', 'two']) {
      // A minute is left: 19 have passed since they were sent, or read last.
      expect(await redis.pexpire(of.results(execution), minuteMs)).toBe(1);
      await redis.pexpire(of.resultsRead(execution), minuteMs);
      expect((await ask(api.app, `GET /actors/${id}/executions/${execution}/results`)).text).toBe(text);
      for (const ms of await left()) isWhole(ms);
    }
    redis.disconnect();
  });
});
