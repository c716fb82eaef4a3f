/** What becomes of an image where its engine, or the disk of the service, has trouble that is not the image's. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Engine, EngineQuestion } from '../../../../launchers/docker/engine.ts';
import { EngineRefusal } from '../../../../launchers/docker/engine-error.ts';
import { createImageStore } from '../../../../launchers/docker/image-store.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;
const digest = `sha256:${'a'.repeat(64)}`;
const image = { name: 'a/tool:1', digest };

/** An engine that has the image, and not its prepared form. @param refuse - gives what it refuses a question with. */
function playEngine(refuse: (asked: string) => EngineRefusal | undefined): Engine {
  return {
    socket: '/engine',
    async ask({ method, path }: EngineQuestion) {
      const refusal = refuse(`${method} ${path}`);
      if (refusal) throw refusal;
      if (path.startsWith('/images/abaco-prepared')) throw new EngineRefusal(404, 'No such image');
      if (path === '/containers/create') return { Id: 'c1' };
      if (path === '/containers/json') return [];
      if (path === '/images/json') return [{ Id: 'i1', Created: 0, RepoTags: ['abaco-prepared:x'] }];
      return { Id: digest, RepoDigests: null, Config: { Entrypoint: ['/bin/tool'] } };
    },
    close: () => undefined,
  };
}

async function start(refuse: (asked: string) => EngineRefusal | undefined = () => undefined) {
  const directory = await makeTestDirectory('image-store');
  const warned: string[] = [];
  const store = createImageStore({
    engine: playEngine(refuse),
    pullPolicy: 'missing',
    registries: {},
    installationId: 'here',
    dataDir: join(directory.path, 'images'),
    log: { ...silentLog, warn: (_, text) => void warned.push(text) },
  });
  return { directory, store, warned };
}

describe('an image of an engine', () => {
  it.each<[string, number, string, string]>([
    ['POST /containers/create', 500, 'driver failed', 'launcher.unavailable'],
    ['POST /containers/create', 404, 'No such image: a/tool', 'launcher.unavailable'],
    ['PUT /containers/c1/archive', 500, 'write /x: no space left on device', 'launcher.disk_full'],
    ['POST /commit', 503, 'engine is starting', 'launcher.unavailable'],
    ['GET /images/abaco-prepared', 500, 'database is locked', 'launcher.unavailable'],
  ])('waits where the engine refuses %s with %i %j', async (asked, status, message, code) => {
    const { directory, store } = await start((question) =>
      question.startsWith(asked) ? new EngineRefusal(status, message) : undefined,
    );
    await using _ = directory;
    await expect(store.prepare(image, signal)).rejects.toMatchObject({ code, retryable: true });
  });

  it('is bad where it has more layers than the engine stacks', async () => {
    const { directory, store } = await start((question) =>
      question.startsWith('POST /commit') ? new EngineRefusal(500, 'max depth exceeded') : undefined,
    );
    await using _ = directory;
    await expect(store.prepare(image, signal)).rejects.toMatchObject({ code: 'image.invalid', retryable: false });
  });

  it('is given where what it was prepared in cannot be removed', async () => {
    const { directory, store, warned } = await start((question) =>
      question.startsWith('DELETE') ? new EngineRefusal(500, 'device or resource busy') : undefined,
    );
    await using _ = directory;
    expect(await store.prepare(image, signal)).toMatchObject({ digest, argv: ['/bin/tool'] });
    expect(warned).toEqual(['container of a prepared image not removed; a sweep does so']);
  });

  it('is given where its use cannot be noted', async () => {
    const { directory, store, warned } = await start();
    await using _ = directory;
    await writeFile(join(directory.path, 'images'), '');
    expect(await store.prepare(image, signal)).toMatchObject({ digest });
    expect(warned).toEqual(['use of an image not noted; the next one is']);
  });

  it.each([
    { what: 'is kept where nobody can say when it was used last', isUnreadable: true, removed: [] },
    { what: 'is removed where no use was noted', isUnreadable: false, removed: ['DELETE /images/abaco-prepared:x'] },
  ])('that was prepared $what', async ({ isUnreadable, removed }) => {
    const asked: string[] = [];
    const { directory, store } = await start((question) => (asked.push(question), undefined));
    await using _ = directory;
    // A file in the place of the directory of notes: there is no looking into it.
    if (isUnreadable) await writeFile(join(directory.path, 'images'), '');
    await store.sweep(signal);
    expect(asked.filter((question) => question.startsWith('DELETE'))).toEqual(removed);
  });
});
