import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/storage/embedded-redis.ts';
import { openRedis, readDurability } from '../../../src/storage/redis.ts';
import { startChild } from '../../support/child.ts';
import { packageRoot } from '../../support/package-root.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

const log = { info: () => undefined };

/** Whether it has ended, also where its parent has not noticed yet. */
const isGone = (pid: number): Promise<boolean> =>
  readFile(`/proc/${pid}/stat`, 'utf8').then(
    (text) => text.includes(') Z '),
    () => true,
  );

describe.runIf(requireService('redis', await programAvailable('redis-server')))('the embedded Redis', () => {
  let directory: TestDirectory;
  let started: EmbeddedRedis[];

  beforeEach(async () => {
    directory = await makeTestDirectory('embedded');
    started = [];
  });

  afterEach(async () => {
    for (const each of started) await each.close();
    await directory[Symbol.asyncDispose]();
  });

  async function start(): Promise<EmbeddedRedis> {
    const embedded = await startEmbeddedRedis({ dataDir: directory.path, log });
    started.push(embedded);
    return embedded;
  }

  async function ask<T>({ url }: EmbeddedRedis, question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = await openRedis({ url, onError: () => undefined });
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  const processOf = async (embedded: EmbeddedRedis): Promise<number> =>
    Number(/process_id:(\d+)/.exec(await ask(embedded, (redis) => redis.info('server')))?.[1]);

  it('is reached by a socket that only its user opens, and by no port', async () => {
    const embedded = await start();
    expect(embedded.url).toBe(join(directory.path, 'redis', 'redis.sock'));
    expect((await stat(embedded.url)).mode & 0o777).toBe(0o700);
    expect(await ask(embedded, (redis) => redis.config('GET', 'port'))).toEqual(['port', '0']);
  });

  it('has every command on disk before it answers', async () => {
    expect(await ask(await start(), readDurability)).toMatchObject({ ok: true });
  });

  it('is adopted by a start that finds it running', async () => {
    const first = await start();
    const second = await start();
    expect([first.adopted, second.adopted]).toEqual([false, true]);
    expect(await processOf(second)).toBe(await processOf(first));
  });

  it('is ended by whoever adopted it', async () => {
    const first = await start();
    const pid = await processOf(first);
    await (await start()).close();
    await until(() => isGone(pid));
    expect((await start()).adopted).toBe(false);
  });

  it('outlives the process that started it, and all of its group', async () => {
    const program = `
      import { startEmbeddedRedis } from ${JSON.stringify(join(packageRoot, 'src/storage/embedded-redis.ts'))};
      const log = { info: () => undefined };
      await startEmbeddedRedis({ dataDir: ${JSON.stringify(directory.path)}, log });
      process.stdout.write('started');
      setInterval(() => undefined, 1_000);`;
    const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    const exit = once(holder, 'exit');
    process.kill(-(holder.pid ?? 0), 'SIGKILL');
    await exit;
    expect((await start()).adopted).toBe(true);
  });

  it('is waited for while it loads its data, and adopted then', async () => {
    const first = await start();
    await ask(first, (redis) => redis.eval("for i = 1, 3000 do redis.call('SET', 'k' .. i, i) end", 0));
    await first.close();
    const dir = join(directory.path, 'redis');
    const settings = { port: '0', unixsocket: first.url, dir, save: '', appendonly: 'yes', 'key-load-delay': '200' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    await using loading = await startChild('redis-server', args, { cwd: dir });
    await until(() => stat(first.url));
    const second = await start();
    expect(second.adopted).toBe(true);
    expect(await processOf(second)).toBe(loading.pid);
    expect(await ask(second, (redis) => redis.dbsize())).toBe(3_000);
  });

  it('says where to look when it does not start', async () => {
    await mkdir(join(directory.path, 'redis'));
    await writeFile(join(directory.path, 'redis', 'appendonlydir'), 'no directory');
    await expect(start()).rejects.toMatchObject({
      code: 'storage.unavailable',
      message: expect.stringMatching(
        /^Embedded Redis did not start: redis-server ended with code 1; see ".*redis\.log"$/,
      ),
    });
  });

  it('has after a kill what it had answered before', async () => {
    const first = await start();
    await ask(first, (redis) => redis.set('message', 'kept'));
    const pid = await processOf(first);
    process.kill(pid, 'SIGKILL');
    await until(() => isGone(pid));
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await ask(second, (redis) => redis.get('message'))).toBe('kept');
  });

  it('ends with what it had answered kept, and is ended once', async () => {
    const first = await start();
    await ask(first, (redis) => redis.set('message', 'kept'));
    await first.close();
    await first.close();
    const redis = new Redis({ path: first.url, lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined);
    await expect(redis.connect()).rejects.toThrow('Connection is closed');
    expect(await ask(await start(), (again) => again.get('message'))).toBe('kept');
  });

  it('says what to type where redis-server is not installed', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = directory.path;
    try {
      await expect(start()).rejects.toThrow(/redis-server is not installed; type: apt-get install redis-server/);
    } finally {
      process.env['PATH'] = PATH;
    }
  });

  it('says that its data directory has too long a name', async () => {
    const dataDir = join(directory.path, 'd'.repeat(100));
    await expect(startEmbeddedRedis({ dataDir, log })).rejects.toThrow(/longer than the 107 bytes .* --data-dir/);
  });
});
