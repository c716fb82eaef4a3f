import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../support/package-root.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const run = promisify(execFile);

/** What the system was asked to do with the files below `dir` while `program` ran, in order. */
async function trace(dir: string, program: string): Promise<string[]> {
  const output = join(dir, 'trace');
  const calls = ['-f', '-y', '-qq', '-e', 'trace=fsync,fdatasync,rename,pwrite64', '-e', 'signal=none', '-o', output];
  const node = [process.execPath, '--input-type=module-typescript', '-e', program];
  await run('strace', [...calls, ...node], { cwd: packageRoot });
  const lines = (await readFile(output, 'utf8')).split('\n').filter((line) => line.includes(`${dir}/blobs`));
  return lines.map((line) =>
    line
      .replace(/^\d+ +/, '')
      .replaceAll(`${dir}/blobs`, 'DIR')
      .replace(/[0-9a-f]{32}/, 'NEW'),
  );
}

describe.runIf(requireService('strace', await programAvailable('strace')))('the disk', () => {
  it('has a blob, and then its name, before `put` resolves; and a log once it is closed', async () => {
    await using directory = await makeTestDirectory('synced');
    const calls = await trace(
      directory.path,
      `import { createBlobStore } from ${JSON.stringify(join(packageRoot, 'src/storage/blob-store.ts'))};
       const blobs = createBlobStore({ dir: ${JSON.stringify(join(directory.path, 'blobs'))} });
       await blobs.put(Buffer.from('x'), 'b');
       const log = await blobs.openLog('b');
       await log.append(Buffer.from('y'));
       await log.close();`,
    );
    const afterFolders = calls.slice(calls.findIndex((call) => call.startsWith('pwrite64')));
    expect(afterFolders.map((call) => call.replace(/\d+</, '<').replace(/ += .*/, ''))).toEqual([
      'pwrite64(<DIR/unfinished/NEW>, "x", 1, 0)',
      'fsync(<DIR/unfinished/NEW>)',
      'rename("DIR/unfinished/NEW", "DIR/3e/b")',
      'fsync(<DIR/3e>)',
      'pwrite64(<DIR/3e/b>, "y", 1, 1)',
      'fsync(<DIR/3e/b>)',
      'fsync(<DIR/3e>)',
    ]);
  });
});
