import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockDataDir } from '../../../src/storage/data-dir-lock.ts';
import { packageRoot } from '../../support/package-root.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

describe('the lock of a data directory', () => {
  it('is held by one, and free for the next after its release', async () => {
    await using directory = await makeTestDirectory('lock');
    const lock = await lockDataDir(directory.path);
    await expect(lockDataDir(directory.path)).rejects.toMatchObject({
      code: 'service.locked',
      message: expect.stringContaining(`"${directory.path}" is held by another process: stop that one`),
    });
    await lock.release();
    await (await lockDataDir(directory.path)).release();
  });

  it('is taken over from a process that was killed', async () => {
    await using directory = await makeTestDirectory('lock');
    const program = `
      import { lockDataDir } from ${JSON.stringify(join(packageRoot, 'src/storage/data-dir-lock.ts'))};
      await lockDataDir(${JSON.stringify(directory.path)});
      process.stdout.write('held');
      setInterval(() => undefined, 1_000);`;
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    await expect(lockDataDir(directory.path)).rejects.toThrow('is held by another process');
    const exit = once(holder, 'exit');
    holder.kill('SIGKILL');
    await exit;
    await (await lockDataDir(directory.path)).release();
  });
});
