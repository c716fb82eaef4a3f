/** How long a pull is waited for: as long as something comes of it. The engine is played, and so is the time. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEngine, type Engine, type EngineQuestion } from '../../../../launchers/docker/engine.ts';
import { EngineRefusal } from '../../../../launchers/docker/engine-error.ts';
import { createImageStore } from '../../../../launchers/docker/image-store.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const image = { name: 'a/tool:1', digest: `sha256:${'a'.repeat(64)}` };
const minuteMs = 60_000;

/** An engine that has nothing before it has pulled it. */
function playPull() {
  const pulls: { readonly onBytes: () => void; readonly finish: () => void }[] = [];
  let isThere = false;
  const ask = async ({ path, onBytes }: EngineQuestion, aborted?: AbortSignal): Promise<unknown> => {
    if (path === '/images/create') {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      aborted?.addEventListener('abort', () => reject(aborted.reason as Error));
      pulls.push({ onBytes: () => onBytes?.(), finish: resolve });
      await promise;
      isThere = true;
    } else if (!isThere) throw new EngineRefusal(404, 'No such image');
    return { Id: image.digest, RepoDigests: null, Config: null };
  };
  const engine: Engine = { socket: '/engine', ask, close: () => undefined };
  return { engine, pulls };
}

describe('a pull', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  async function start() {
    const directory = await makeTestDirectory('image-pull');
    const { engine, pulls } = playPull();
    const parts = { engine, pullPolicy: 'missing', registries: {}, installationId: 'here', log: silentLog } as const;
    const store = createImageStore({ ...parts, dataDir: join(directory.path, 'images') });
    const ended: string[] = [];
    const prepare = (): Promise<unknown> => {
      const prepared = store.prepare(image, new AbortController().signal);
      prepared.then(
        () => void ended.push('there'),
        (thrown: { readonly code?: string }) => void ended.push(`${thrown.code}`),
      );
      return prepared;
    };
    return { directory, pulls, prepare, ended };
  }

  it('that stalls is given up, and the image is pulled anew by the next who asks', async () => {
    const { directory, pulls, prepare, ended } = await start();
    await using _ = directory;
    const first = prepare();
    await vi.advanceTimersByTimeAsync(10 * minuteMs - 1);
    expect([pulls.length, ended]).toEqual([1, []]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(['image.registry_unavailable']);
    await expect(first).rejects.toThrow('Image "a/tool@sha256:');
    const second = prepare();
    await vi.advanceTimersByTimeAsync(0);
    pulls[1]?.finish();
    await second;
  });

  it('is waited for as long as something comes of it', async () => {
    const { directory, pulls, prepare, ended } = await start();
    await using _ = directory;
    const prepared = prepare();
    for (let count = 0; count < 5; count += 1) {
      await vi.advanceTimersByTimeAsync(9 * minuteMs);
      pulls[0]?.onBytes();
    }
    expect([pulls.length, ended]).toEqual([1, []]);
    pulls[0]?.finish();
    await prepared;
  });
});

describe('an answer of the engine', () => {
  it('is told of as it comes, also where letters are cut in two', async () => {
    await using directory = await makeTestDirectory('image-pull');
    const socket = join(directory.path, 'engine');
    const line = Buffer.from('{"status":"ä"}\n');
    let more: () => void = () => undefined;
    const server = createServer((_, answer) => {
      answer.write(line.subarray(0, 12));
      more = () => void answer.end(Buffer.concat([line.subarray(12), line]));
    });
    await once(server.listen(socket), 'listening');
    const engine = createEngine({ socket, answerMs: 10_000 });
    let told = 0;
    const onBytes = (): void => {
      if (told === 0) more();
      told += 1;
    };
    expect(await engine.ask({ method: 'POST', path: '/images/create', onBytes })).toEqual([
      { status: 'ä' },
      { status: 'ä' },
    ]);
    expect(told).toBeGreaterThan(1);
    engine.close();
    server.close();
  });
});
