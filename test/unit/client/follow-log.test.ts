import { describe, expect, it } from 'vitest';
import { followLog } from '../../../src/client/follow-log.ts';
import { createHttp } from '../../../src/client/http.ts';
import { createService } from '../../../src/client/service.ts';
import { type FakeAnswer, type SeenRequest, startFakeService } from '../../support/fake-service.ts';
import { until } from '../../support/until.ts';

const event = (text: string): string => `event: log\ndata: ${JSON.stringify({ logs: text })}\n\n`;

/** Follows a log whose stream and whole text are given, until `seen` was written; then finishes. */
async function follow(stream: (request: SeenRequest) => FakeAnswer, seen: string, whole: string): Promise<string[]> {
  await using fake = await startFakeService((request) =>
    request.path.endsWith('?follow=true') ? stream(request) : { result: { logs: whole } },
  );
  const written: string[] = [];
  const follower = followLog({
    service: createService(createHttp({ url: fake.url })),
    actorId: 'a1',
    executionId: 'e1',
    write: async (text) => void written.push(text),
    everyMs: 1,
  });
  await until(() => written.join('') === seen || (seen === '' && fake.seen.length > 0), { what: seen });
  await follower.finish();
  return written;
}

const contentType = 'text/event-stream; charset=utf-8';

describe('followLog', () => {
  it('writes events as they come, and in the end what is missing', async () => {
    const written = await follow(
      () => ({ contentType, pieces: [event('a\n'), event('b'), '…'] }),
      'a\nb',
      'a\nb and c',
    );
    expect(written).toEqual(['a\n', 'b', ' and c']);
  });

  it('writes each character once, however often the stream begins again', async () => {
    let streams = 0;
    const texts = ['ab', 'abcd', 'abc'];
    const stream = () => ({ contentType, pieces: (texts[streams++] ?? 'abcd').split('').map(event) });
    expect((await follow(stream, 'abcd', 'abcde')).join('')).toBe('abcde');
  });

  it('asks for the whole log where there are no events', async () => {
    let asked = 0;
    const stream = () => ({ result: { logs: 'unused' } });
    const written = await follow(
      () => {
        asked += 1;
        return stream();
      },
      'grown',
      'grown',
    );
    expect(written).toEqual(['grown']);
    expect(asked).toBeGreaterThan(0);
  });

  it('gets over errors and nonsense in the stream', async () => {
    let streams = 0;
    const stream = (): FakeAnswer => {
      streams += 1;
      if (streams === 1) return { status: 503, message: 'away' };
      if (streams === 2) return { contentType, pieces: ['event: log\ndata: {no\n\n'] };
      return { contentType, pieces: [event('fine'), '…'] };
    };
    expect(await follow(stream, 'fine', 'fine')).toEqual(['fine']);
  });
});
