/** `abaco images` as an operator calls it: a cache on this machine, and a Redis that knows what actors need. */

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAbaco } from '../../support/abaco-up.ts';
import { freePort } from '../../support/free-port.ts';
import { openMailboxBench } from '../../support/mailbox-bench.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const canRun = requireService('redis', await programAvailable('redis-server'));
const [needed, running, old, fresh] = ['a', 'b', 'c', 'd'].map((letter) => `sha256:${letter.repeat(64)}`) as [
  string,
  string,
  string,
  string,
];

describe.runIf(canRun)('abaco images', () => {
  async function start() {
    const stack = new AsyncDisposableStack();
    const redis = stack.use(await startRedis());
    const bench = stack.use(await openMailboxBench(redis.url, 'abaco'));
    const directory = stack.use(await makeTestDirectory('images-command'));
    const mark = { installationId: 'here', shape: 1, writtenBy: 'a test' };
    await bench.redis.set('abaco:installation', JSON.stringify(mark));
    const actor = await bench.newActor({ ready: false });
    await bench.actors.markReady(actor, 1, needed);
    const images = join(directory.path, 'images');
    for (const digest of [needed, running, old, fresh]) await keep(images, digest, digest === fresh ? Date.now() : 0);
    // What runs says which image it runs with.
    await mkdir(join(directory.path, 'owners', 'here'), { recursive: true });
    await writeFile(join(directory.path, 'owners', 'here', 'service'), '');
    await mkdir(join(directory.path, 'work', 'here', 'run', 'e1-1'), { recursive: true });
    await writeFile(join(directory.path, 'work', 'here', 'run', 'e1-1', 'image'), running);
    const site = join(directory.path, 'site.toml');
    const launcher = `[launchers.node]\nkind = "apptainer"\nbecome = false\ndirectory = "${directory.path}"\n`;
    await writeFile(site, `[redis]\nurl = "${redis.url}"\n[service]\ndata_dir = "data"\n${launcher}`);
    return { stack, site, images, redis };
  }

  /** A SIF that nobody looks into. */
  async function keep(images: string, digest: string, usedAtMs: number): Promise<void> {
    const base = join(images, digest.replace(':', '-'));
    const at = new Date(usedAtMs).toISOString();
    await mkdir(`${base}.uses`, { recursive: true });
    await writeFile(`${base}.sif`, 'x');
    const record = { digest, name: `image-${digest[7]}`, argv: ['x'], sha256: '', bytes: 1, builtAt: at };
    await writeFile(`${base}.json`, JSON.stringify(record));
    const use = { tenant: 'LAB', place: 'r/x', installation: 'here', usedAt: at, resolvedAt: at };
    await writeFile(join(`${base}.uses`, '0'.repeat(32)), JSON.stringify(use));
  }

  it('lists what is kept, and whether an actor needs it', async () => {
    const { stack, site } = await start();
    await using _ = stack;
    const answer = await runAbaco(['images', 'list', '--config', site, '--json']);
    expect(answer).toMatchObject({ exitCode: 0, errors: '' });
    const listed = JSON.parse(answer.output) as readonly { readonly digest: string; readonly needed: boolean }[];
    expect(listed.map(({ digest }) => digest).toSorted()).toEqual([needed, running, old, fresh]);
    expect(listed.filter((image) => image.needed).map(({ digest }) => digest)).toEqual([needed]);
    expect((await runAbaco(['images', 'list', '--config', site])).output).toContain('image-a');
  });

  it('prunes what is old, and that nothing and nobody needs', async () => {
    const { stack, site, images } = await start();
    await using _ = stack;
    const prune = async (...more: readonly string[]) =>
      await runAbaco(['images', 'prune', '--config', site, '--json', ...more]);
    const digestsIn = ({ output }: { readonly output: string }): readonly string[] =>
      (JSON.parse(output) as readonly { readonly digest: string }[]).map(({ digest }) => digest);
    expect(digestsIn(await prune('--dry-run'))).toEqual([old]);
    expect((await readdir(images)).filter((name) => name.endsWith('.sif'))).toHaveLength(4);
    expect(digestsIn(await prune())).toEqual([old]);
    expect((await readdir(images)).filter((name) => name.startsWith('sha256-c'))).toEqual([]);
    expect(digestsIn(await prune('--older-than', '0s'))).toEqual([]);
  });

  it('says what is wrong instead of guessing', async () => {
    const { stack, site, redis } = await start();
    await using _ = stack;
    const unknown = await runAbaco(['images', 'list', 'other', '--config', site]);
    expect(unknown).toMatchObject({ exitCode: 1, errors: expect.stringContaining('those that do: node') as string });
    await redis.stop();
    const away = await runAbaco(['images', 'prune', '--config', site]);
    const said = `abaco: Redis at ${redis.url} does not answer; only Redis knows which images actors use: start Redis, or name`;
    expect(away).toMatchObject({ exitCode: 1, errors: expect.stringContaining(said) as string });
  });

  it.each([
    ['images', 'list'],
    ['images', 'prune'],
  ])('looks for the Redis of %s %s where --data-dir says, and names the place', async (...verb) => {
    await using directory = await makeTestDirectory('images-command');
    const socket = join(directory.path, 'redis', 'redis.sock');
    const { exitCode, errors } = await runAbaco([...verb, '--data-dir', directory.path]);
    expect(exitCode).toBe(1);
    expect(errors).toMatch(new RegExp(`^abaco: Redis at ${socket} does not answer; .* by --data-dir\\n$`));
  });

  it('keeps the password of Redis to itself', async () => {
    const url = `redis://someone:hush@127.0.0.1:${await freePort()}`;
    const { errors } = await runAbaco(['images', 'list'], { env: { ABACO_REDIS_URL: url } });
    expect(errors).toContain(`Redis at ${url.replace('someone:hush@', '')} does not answer`);
    expect(errors).not.toContain('hush');
  });
});
