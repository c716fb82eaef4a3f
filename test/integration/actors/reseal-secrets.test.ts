/** `abaco secrets reseal` as an operator calls it after a rotation, and what others do to a secret meanwhile. */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ActorConfig } from '../../../src/actors/config.ts';
import { createConfigStore } from '../../../src/actors/config-store.ts';
import { resealConfigs } from '../../../src/actors/reseal-configs.ts';
import { createSecretBox } from '../../../src/actors/secret-box.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createIdSource } from '../../../src/lib/ids.ts';
import { createKeys } from '../../../src/mailbox/keys.ts';
import { openRedis } from '../../../src/storage/redis.ts';
import { runAbaco } from '../../support/abaco-up.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

const canRun = requireService('redis', await programAvailable('redis-server'));

const prefix = 'abaco';
const [old, next] = [randomBytes(32), randomBytes(32)];
const clear = 'correct-horse-battery-staple';
const ids = createIdSource({ processNumber: () => 1, clock: systemClock });
const actor = { tenant: 'LAB', actorId: ids.next() };
const config = (name: string, more: Partial<ActorConfig> = {}): ActorConfig => ({
  tenant: actor.tenant,
  name,
  value: clear,
  isSecret: true,
  actors: [actor.actorId],
  ...more,
});

describe.runIf(canRun)('abaco secrets reseal', () => {
  let server: TestRedis;
  let redis: Redis;
  let directory: TestDirectory;

  beforeAll(async () => {
    server = await startRedis();
    redis = await openRedis({ url: server.url, onError: () => undefined });
    directory = await makeTestDirectory('reseal');
    for (const [name, key] of Object.entries({ old, next })) await writeFile(join(directory.path, name), key);
  });

  beforeEach(async () => {
    await redis.flushall();
    await redis.set(
      createKeys(prefix).installation,
      JSON.stringify({ installationId: 'here', shape: 2, writtenBy: 't' }),
    );
    await redis.sadd(createKeys(prefix).tenants, 'LAB', 'FIELD', 'EMPTY');
  });

  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  const storeWith = (keys: readonly Buffer[], connection = redis) =>
    createConfigStore({ redis: connection, prefix, secrets: createSecretBox(keys) });

  /** With what the configuration says of keys. */
  async function reseal(keys: string, ...more: readonly string[]) {
    const site = join(directory.path, 'site.toml');
    const redisTable = `[redis]\nurl = "${server.url}"\n`;
    await writeFile(site, `[service]\ndata_dir = "${directory.path}"\n${redisTable}[secrets]\n${keys}\n`);
    const ran = await runAbaco(['secrets', 'reseal', '--config', site, ...more]);
    expect(ran.output + ran.errors).not.toContain(clear);
    return ran;
  }

  const rotated = () =>
    `key_file = "${join(directory.path, 'next')}"\nold_key_files = ["${join(directory.path, 'old')}"]`;

  it('lets the key of before go, and changes nothing that users see', async () => {
    const before = storeWith([old]);
    await before.create(config('token'), 'olga');
    await before.create(config('plain', { isSecret: false }), 'olga');
    await before.create(config('far', { tenant: 'FIELD' }), 'olga');
    await storeWith([next]).create(config('recent'), 'olga');
    const after = storeWith([next]);
    await expect(after.valuesFor(actor)).rejects.toMatchObject({ code: 'secret.unreadable' });
    const listed = await before.list('LAB');

    const rehearsed = await reseal(rotated(), '--dry-run', '--json');
    const report = { resealed: 2, current: 1, unreadable: [] };
    expect([rehearsed.exitCode, JSON.parse(rehearsed.output)]).toEqual([0, report]);
    await expect(after.valuesFor(actor)).rejects.toMatchObject({ code: 'secret.unreadable' });

    const done = await reseal(rotated());
    expect(done).toMatchObject({
      exitCode: 0,
      output: 'sealed anew: 2\nunder the newest key already: 1\nthat do not open: 0\n',
      errors: '',
    });
    const values = ['plain', 'recent', 'token'].map((name) => ({ name, value: clear }));
    expect(await after.valuesFor(actor)).toEqual(values);
    expect(await after.valuesFor({ ...actor, tenant: 'FIELD' })).toEqual([{ name: 'far', value: clear }]);
    expect(await after.list('LAB')).toEqual(listed);
    expect(JSON.parse((await reseal(rotated(), '--json')).output)).toEqual({ ...report, resealed: 0, current: 3 });
  });

  it('keeps a secret for whom gives back what stood for it before, and shows another after a new one', async () => {
    await storeWith([old]).create(config('token'), 'olga');
    const [shown] = await storeWith([old]).list('LAB');
    await reseal(rotated());
    const store = storeWith([next]);
    expect(await store.replace(config('token', { value: shown?.value ?? '' }), 'olga')).toBe('saved');
    expect(await store.valuesFor(actor)).toEqual([{ name: 'token', value: clear }]);
    await store.replace(config('token', { value: 'new' }), 'olga');
    expect((await store.get('LAB', 'token'))?.value).not.toBe(shown?.value);
  });

  it('names what does not open, seals the rest and exits with 1', async () => {
    await storeWith([randomBytes(32)]).create(config('lost'), 'olga');
    await storeWith([old]).create(config('token'), 'olga');
    const moved = await redis.hget(createKeys(prefix).configs('LAB'), 'token');
    await redis.hset(createKeys(prefix).configs('LAB'), 'moved', String(moved));
    const ran = await reseal(rotated());
    expect(ran.exitCode).toBe(1);
    expect(ran.output).toMatch(/^sealed anew: 1\nunder the newest key already: 0\nthat do not open: 2\n/);
    expect(ran.output).toContain('Tenant "LAB": Secret "lost" does not open: this service does not have the key "');
    expect(ran.output).toContain('Tenant "LAB": Secret "moved" does not open: what is kept of it was changed');
  });

  it('needs a key, makes none, and leaves what a newer version wrote', async () => {
    const keyless = await reseal('');
    expect(keyless).toMatchObject({ exitCode: 1, errors: expect.stringContaining('name the key as secrets.key_file') });
    await writeFile(join(directory.path, 'secrets.key'), next.toString('base64'));
    await storeWith([old]).create(config('token'), 'olga');
    const own = await reseal(`old_key_files = ["${join(directory.path, 'old')}"]`, '--json');
    expect(JSON.parse(own.output)).toMatchObject({ resealed: 1 });
    const mark = { installationId: 'here', shape: 99, writtenBy: 'abaco-hpc 99' };
    await redis.set(createKeys(prefix).installation, JSON.stringify(mark));
    expect(await reseal(rotated())).toMatchObject({ exitCode: 1, errors: expect.stringContaining('in shape 99') });
  });

  /** The connection of one process; right after its first reading of a record another one does something. */
  function interrupted(meanwhile: () => Promise<unknown>): Redis {
    let done: Promise<unknown> | undefined;
    const hget = async (key: string, field: string) => {
      const found = await redis.hget(key, field);
      await (done ??= meanwhile());
      return found;
    };
    return new Proxy(redis, {
      get: (target, name) => {
        if (name === 'hget') return hget;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
  }

  const resealBy = async (connection: Redis) => await resealConfigs(storeWith([next, old], connection), false);

  it('keeps what somebody writes meanwhile, and leaves alone what somebody deletes', async () => {
    const store = storeWith([old]);
    await store.create(config('token'), 'olga');
    const written = interrupted(() => store.replace(config('token', { value: 'newer' }), 'olga'));
    expect(await resealBy(written)).toMatchObject({ resealed: 1 });
    expect(await storeWith([next]).valuesFor(actor)).toEqual([{ name: 'token', value: 'newer' }]);

    await store.replace(config('token'), 'olga');
    expect(await resealBy(interrupted(() => store.remove('LAB', 'token')))).toMatchObject({ resealed: 0 });
    expect(await store.list('LAB')).toEqual([]);
  });

  it('is not undone by who gives back what stands for the secret meanwhile, and neither is a new secret', async () => {
    await storeWith([old]).create(config('token'), 'olga');
    const shown = (await storeWith([old]).get('LAB', 'token'))?.value ?? '';
    const kept = config('token', { value: shown });
    const keys = [next, old];
    expect(
      await storeWith(
        keys,
        interrupted(async () => await resealBy(redis)),
      ).replace(kept, 'olga'),
    ).toBe('saved');
    expect(await storeWith([next]).valuesFor(actor)).toEqual([{ name: 'token', value: clear }]);

    const newer = async () => await storeWith(keys).replace(config('token', { value: 'newer' }), 'jane');
    expect(await storeWith(keys, interrupted(newer)).replace(kept, 'olga')).toBe('saved');
    expect(await storeWith([next]).valuesFor(actor)).toEqual([{ name: 'token', value: 'newer' }]);
  });
});
