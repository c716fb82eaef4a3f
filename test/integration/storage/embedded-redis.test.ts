import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/storage/embedded-redis.ts';
import { openRedis, readDurability } from '../../../src/storage/redis.ts';
import { type Child, startChild } from '../../support/child.ts';
import { packageRoot } from '../../support/package-root.ts';
import { isGone } from '../../support/process-gone.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { silentLog } from '../../support/silent-log.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

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

  async function start(log = silentLog): Promise<EmbeddedRedis> {
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

  /** A server as a holder that was killed leaves it. */
  async function leaveRunning(more: Readonly<Record<string, string>> = {}): Promise<Child> {
    const dir = join(directory.path, 'redis');
    const unixsocket = join(dir, 'redis.sock');
    await mkdir(dir, { recursive: true });
    const settings = { port: '0', unixsocket, dir, save: '', appendonly: 'yes', appendfsync: 'always', ...more };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const child = await startChild('redis-server', args, { cwd: dir });
    await until(() => stat(unixsocket));
    return child;
  }

  /** Once another than `pid` answers. */
  const untilAnother = (embedded: EmbeddedRedis, pid: number): Promise<number> =>
    until(
      async () => {
        const found = await processOf(embedded);
        return found === pid ? undefined : found;
      },
      { timeoutMs: 20_000, what: 'another process' },
    );

  it('is reached by a socket that only its user opens, and by no port', async () => {
    const embedded = await start();
    expect(embedded.url).toBe(join(directory.path, 'redis', 'redis.sock'));
    expect((await stat(embedded.url)).mode & 0o777).toBe(0o700);
    expect(await ask(embedded, (redis) => redis.config('GET', 'port'))).toEqual(['port', '0']);
  });

  it('has every command on disk before it answers', async () => {
    expect(await ask(await start(), readDurability)).toMatchObject({ ok: true });
  });

  it('is adopted by a start that finds it running, and ended by it', async () => {
    await using left = await leaveRunning();
    const embedded = await start();
    expect(embedded.adopted).toBe(true);
    expect(await processOf(embedded)).toBe(left.pid);
    await embedded.close();
    await until(() => left.exited());
    expect((await start()).adopted).toBe(false);
  });

  it('outlives the process that started it, and all of its group', async () => {
    const program = `
      import { startEmbeddedRedis } from ${JSON.stringify(join(packageRoot, 'src/storage/embedded-redis.ts'))};
      const log = { info() {}, warn() {}, error() {} };
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
    await using loading = await leaveRunning({ 'key-load-delay': '200' });
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

  it('is started again when it is killed, with what it had answered', async () => {
    const embedded = await start();
    await ask(embedded, (redis) => redis.set('message', 'kept'));
    const first = await processOf(embedded);
    process.kill(first, 'SIGKILL');
    const second = await untilAnother(embedded, first);
    expect(await ask(embedded, (redis) => redis.get('message'))).toBe('kept');
    process.kill(second, 'SIGKILL');
    const third = await untilAnother(embedded, second);
    await embedded.close();
    await until(() => isGone(third));
  });

  it('is started again when the one that was adopted is killed', async () => {
    await using left = await leaveRunning();
    const embedded = await start();
    await ask(embedded, (redis) => redis.set('message', 'kept'));
    await left.stop('SIGKILL');
    await untilAnother(embedded, left.pid);
    expect(await ask(embedded, (redis) => redis.get('message'))).toBe('kept');
  });

  it('is left alone when it only closes our connection', async () => {
    const embedded = await start();
    const pid = await processOf(embedded);
    const held = async (): Promise<string | undefined> =>
      /id=(\d+) .* cmd=NULL /.exec(String(await ask(embedded, (redis) => redis.client('LIST'))))?.[1];
    const first = await until(held);
    await ask(embedded, (redis) => redis.client('KILL', 'ID', first));
    await until(async () => ![undefined, first].includes(await held()));
    expect(await processOf(embedded)).toBe(pid);
    expect(embedded.trouble()).toBeUndefined();
  });

  it('is tried again when it cannot be started, and says so in the words of the log', async () => {
    const said: string[] = [];
    const error = ({ err }: { readonly err?: Error }): void => void said.push(err?.message ?? '');
    const embedded = await start({ ...silentLog, error });
    await ask(embedded, (redis) => redis.set('message', 'kept'));
    const pid = await processOf(embedded);
    const [data, aside] = [join(directory.path, 'redis', 'appendonlydir'), join(directory.path, 'aside')];
    await rename(data, aside);
    await writeFile(data, 'no directory');
    process.kill(pid, 'SIGKILL');
    await until(() => said.filter((each) => /did not start: redis-server ended with code 1/.test(each)).length > 1, {
      timeoutMs: 20_000,
    });
    expect(embedded.trouble()?.message).toBe(said.at(-1));
    await rm(data);
    await rename(aside, data);
    await untilAnother(embedded, pid);
    expect(await ask(embedded, (redis) => redis.get('message'))).toBe('kept');
    await until(() => embedded.trouble() === undefined);
  });

  it('is not started again by one that closes', async () => {
    const embedded = await start();
    const pid = await processOf(embedded);
    process.kill(pid, 'SIGKILL');
    await embedded.close();
    await expect(processOf(embedded)).rejects.toThrow('Redis does not answer');
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
});
