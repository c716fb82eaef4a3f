import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../support/package-root.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const run = promisify(execFile);

/** Runs `program` with a disk of 512 KiB mounted at `dir`, in a mount namespace that ends with it. */
async function onSmallDisk(dir: string, program: string): Promise<string> {
  const mount = 'mount -t tmpfs -o size=512k tmpfs "$1" && exec "$2" --input-type=module-typescript -e "$3"';
  const shell = ['sh', '-c', mount, 'sh', dir, process.execPath, program];
  const { stdout } = await run('unshare', [...namespace, ...shell], { cwd: packageRoot });
  return stdout;
}

/** Root needs no user namespace, and some hosts allow none to anybody else. */
const namespace = process.getuid?.() === 0 ? ['-m'] : ['-Urm'];

const possible = await run('unshare', [...namespace, 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).then(
  () => true,
  () => false,
);

const source = (path: string) => JSON.stringify(join(packageRoot, 'src', path));

const redisThere = requireService('redis', await programAvailable('redis-server'));

describe.runIf(possible)('a full disk', () => {
  it('rejects a blob whole and keeps what was there', async () => {
    await using directory = await makeTestDirectory('full');
    const report = await onSmallDisk(
      directory.path,
      `import { createBlobStore } from ${source('storage/blob-store.ts')};
       import { readdir } from 'node:fs/promises';
       const dir = ${JSON.stringify(directory.path)};
       const blobs = createBlobStore({ dir });
       await blobs.put(new Uint8Array(1000), 'small');
       const refused = await blobs.put(new Uint8Array(1_000_000), 'large').catch((error) => error);
       const left = await readdir(dir + '/unfinished');
       const again = await blobs.put(new Uint8Array(1000), 'again');
       console.log(JSON.stringify({
         code: refused.code, message: refused.message, left, again,
         small: await blobs.size('small'), large: await blobs.size('large') ?? null,
       }));`,
    );
    expect(JSON.parse(report)).toEqual({
      code: 'blob.unavailable',
      message: `Blob directory "${directory.path}" is full: blob "large" could not be written (ENOSPC); free some space there`,
      left: [],
      again: { blob: 'again', bytes: 1000 },
      small: 1000,
      large: null,
    });
  });

  it.runIf(redisThere)('ends the embedded Redis, which has what it had answered once there is room', async () => {
    await using directory = await makeTestDirectory('full');
    const report = await onSmallDisk(
      directory.path,
      `import { startEmbeddedRedis } from ${source('storage/embedded-redis.ts')};
       import { openRedis } from ${source('storage/redis.ts')};
       import { until } from ${JSON.stringify(join(packageRoot, 'test/support/until.ts'))};
       import { rm, writeFile } from 'node:fs/promises';
       const dir = ${JSON.stringify(directory.path)};
       const said = [];
       const log = { info: () => undefined, error: ({ err }) => said.push(err.message) };
       const embedded = await startEmbeddedRedis({ dataDir: dir, log });
       const redis = await openRedis({ url: embedded.url, onError: () => undefined });
       await redis.set('message', 'kept');
       await writeFile(dir + '/other', new Uint8Array(1_000_000)).catch(() => undefined);
       const refused = await redis.set('large', 'x'.repeat(10_000)).catch((error) => error.message);
       await until(() => said.length > 0);
       await rm(dir + '/other');
       await until(() => redis.set('small', 'x'), { timeoutMs: 20_000 });
       console.log(JSON.stringify({ ended: said[0], refused: refused !== 'OK', kept: await redis.mget('message', 'large') }));
       redis.disconnect();
       await embedded.close();`,
    );
    expect(JSON.parse(report)).toEqual({
      ended: 'Embedded Redis ended; it is started again',
      refused: true,
      kept: ['kept', null],
    });
  });

  it('makes the SQLite history unavailable, and takes nothing of what it held', async () => {
    await using directory = await makeTestDirectory('full');
    const report = await onSmallDisk(
      directory.path,
      `import { createSqliteHistory } from ${source('history/sqlite-history.ts')};
       const path = ${JSON.stringify(join(directory.path, 'history.sqlite'))};
       const history = await createSqliteHistory({ path, mark: { installationId: 'here', shape: 1, writtenBy: 'abaco' } });
       const record = (id, text) => ({
         executions: [], registry: [{ tenant: 't', kind: 'actor', id, version: 1, record: { text } }],
       });
       await history.write(record('small', 'x'));
       const refused = await history.write(record('large', 'x'.repeat(1_000_000))).catch((error) => error);
       await history.write(record('again', 'x'));
       const kept = await Promise.all(['small', 'large', 'again'].map((id) => history.registry('t', 'actor', id)));
       console.log(JSON.stringify({ code: refused.code, kept: kept.map((record) => record?.id ?? null) }));
       await history.close();`,
    );
    expect(JSON.parse(report)).toEqual({ code: 'history.unavailable', kept: ['small', null, 'again'] });
  });
});
