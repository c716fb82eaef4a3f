import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../support/package-root.ts';
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
