/** What is said of an image of the engine beside the service, where that engine ends or falls silent while it answers. */

import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEngineImages } from '../../../../launchers/apptainer/engine-images.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;
const id = `sha256:${'a'.repeat(64)}`;

async function joinAll(archive: AsyncIterable<Uint8Array>, onPart: (part: string) => void): Promise<string> {
  let whole = '';
  for await (const chunk of archive) {
    whole += Buffer.from(chunk).toString();
    onPart(Buffer.from(chunk).toString());
  }
  return whole;
}

/** Asks an engine that answers so for the id of an image, then for its archive. @returns how both ended. */
async function ask(listener: RequestListener, onPart: (part: string) => void = () => undefined) {
  await using directory = await makeTestDirectory('engine-images');
  const socket = join(directory.path, 'engine');
  const server = createServer(listener);
  await once(server.listen(socket), 'listening');
  try {
    const images = createEngineImages(socket);
    return await Promise.allSettled([images.identify('a/tool:1', signal), joinAll(images.save(id, signal), onPart)]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const minuteMs = 60_000;
const later = { status: 'rejected', reason: { code: 'launcher.unavailable', retryable: true } };
const told = (message: string) => ({ reason: { message: expect.stringContaining(message) } });

describe('an image of the engine beside the service', () => {
  afterEach(() => void vi.useRealTimers());

  it('is given by its id, and as an archive', async () => {
    const outcomes = await ask((_, answer) => void answer.end(JSON.stringify({ Id: id })));
    expect(outcomes).toMatchObject([{ value: id }, { value: JSON.stringify({ Id: id }) }]);
  });

  it('may be had later where the engine ends in the middle of its answer', async () => {
    const outcomes = await ask((_, answer) => {
      answer.writeHead(200, { 'content-length': 1_000 });
      answer.write('{"Id":', () => answer.destroy());
    });
    expect(outcomes).toMatchObject([later, later]);
  });

  it('may be had later where the engine answers with what is not to be read', async () => {
    const [identified] = await ask((_, answer) => void answer.end('{"Id":'));
    expect(identified).toMatchObject(later);
  });

  it('may be had later where the engine takes questions and falls silent, before or in its answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    for (const isBegun of [false, true]) {
      let asked = 0;
      const outcomes = ask((_, answer) => {
        if (isBegun) answer.write('{"Id":');
        asked += 1;
      });
      await vi.waitFor(() => expect(asked).toBe(2));
      await vi.advanceTimersByTimeAsync(30 * minuteMs);
      const ended = await outcomes;
      expect(ended).toMatchObject([later, later]);
      expect(ended).toMatchObject([told('nothing for 1 min'), told('nothing for 30 min')]);
    }
  });

  it('is waited for as long as something of its archive comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const answers: ServerResponse[] = [];
    const parts: string[] = [];
    const outcomes = ask(
      (_, answer) => void answers.push(answer),
      (chunk) => void parts.push(chunk),
    );
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    for (const part of ['a', 'b', 'c']) {
      answers[1]?.write(part);
      await vi.waitFor(() => expect(parts).toContain(part));
      await vi.advanceTimersByTimeAsync(29 * minuteMs);
    }
    answers[1]?.end();
    expect((await outcomes)[1]).toMatchObject({ value: 'abc' });
  });
});
