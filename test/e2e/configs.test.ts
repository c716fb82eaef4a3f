/** What containers are given by configs (contract §9.2), and where their secrets must not be found. */

import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, startAbacoUp } from '../support/abaco-up.ts';
import { dockerAvailable } from '../support/docker.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { testImageAvailable } from '../support/test-image.ts';
import { until } from '../support/until.ts';

const image = `abaco-test-configs-${process.pid}:1`;
const waitMs = 60_000;

/** Its digest and not the text: what a program prints is kept, and here nothing may keep it. */
const program = 'printf %s "$_actor_configs" | busybox sha256sum';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const isReady =
  requireService('docker', await dockerAvailable()) && requireService('busybox', await testImageAvailable());

describe.runIf(isReady)('configs and secrets', () => {
  let directory: TestDirectory;
  const clear = `s3cret-${randomBytes(12).toString('hex')}`;

  beforeAll(async () => {
    directory = await makeTestDirectory('configs');
    await ensureProgramImage(image, program);
  });

  afterAll(async () => {
    await removeProgramImage(image);
    await directory[Symbol.asyncDispose]();
  });

  it('are found by a container, and the secret by nobody else', { timeout: 2 * waitMs }, async () => {
    await using up = await startAbacoUp({ ABACO_LOGGING_LEVEL: 'trace' });
    const actor = (await post(up, '', { image }))['id'] as string;
    await post(up, '/configs', { name: 'plain', value: '{"a": 1}', is_secret: false, actors: actor });
    const made = await post(up, '/configs', { name: 'token', value: clear, is_secret: true, actors: actor });
    expect(JSON.stringify(made)).not.toContain(clear);
    const log = await logOf(up, actor);
    expect(log).toContain(digestOf(`{'plain': '{"a": 1}', 'token': '${clear}'}`));
    expect((await stat(join(up.dataDir, 'secrets.key'))).mode & 0o777).toBe(0o600);
    // The run directory, for the service's account alone, goes right after the end.
    await until(async () => (await filesHolding(up.dataDir, clear)).length === 0, {
      timeoutMs: waitMs,
      what: 'the secret to lie in no file',
    });
    expect(up.child.output()).not.toContain(clear);
  });

  it('wait for a key that is away, and open by one of before', { timeout: 3 * waitMs }, async () => {
    const data = join(directory.path, 'kept');
    const [oldKey, newKey] = [join(directory.path, 'old.key'), join(directory.path, 'new.key')];
    for (const file of [oldKey, newKey]) await writeFile(file, randomBytes(32), { mode: 0o600 });
    let actor = '';
    {
      await using up = await startAbacoUp({ ABACO_SECRETS_KEY_FILE: oldKey }, data);
      actor = (await post(up, '', { image }))['id'] as string;
      await post(up, '/configs', { name: 'token', value: clear, is_secret: true, actors: actor });
    }
    let execution = '';
    {
      await using up = await startAbacoUp({ ABACO_SECRETS_KEY_FILE: newKey }, data);
      execution = (await post(up, `/${actor}/messages`, { message: 'm' }))['execution_id'] as string;
      const path = `/${actor}/executions/${execution}`;
      await until(async () => JSON.stringify(await get(up, path)).includes('does not open'), {
        timeoutMs: waitMs,
        what: 'the execution to say why it waits',
      });
    }
    const site = join(directory.path, 'site.toml');
    await writeFile(site, `[secrets]\nkey_file = "${newKey}"\nold_key_files = ["${oldKey}"]\n`);
    await using up = await startAbacoUp({ ABACO_CONFIG: site }, data);
    expect(await logOf(up, actor, execution)).toContain(digestOf(`{'token': '${clear}'}`));
  });
});

type Result = Readonly<Record<string, unknown>>;

async function post(up: AbacoUp, path: string, body: object): Promise<Result> {
  const answer = await fetch(`${up.url}/actors${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return await resultOf(answer);
}

async function get(up: AbacoUp, path: string): Promise<Result> {
  return await resultOf(await fetch(`${up.url}/actors${path}`));
}

async function resultOf(answer: Response): Promise<Result> {
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return (JSON.parse(text) as { readonly result: Result }).result;
}

/** Of an execution that is there, or of a new one, once it has ended. */
async function logOf(up: AbacoUp, actor: string, there?: string): Promise<string> {
  const execution = there ?? ((await post(up, `/${actor}/messages`, { message: 'm' }))['execution_id'] as string);
  const path = `/${actor}/executions/${execution}`;
  await until(async () => (await get(up, path))['status'] === 'COMPLETE', { timeoutMs: waitMs, what: 'the end' });
  return String((await get(up, `${path}/logs`))['logs']);
}

async function filesHolding(root: string, text: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const forms = [text, Buffer.from(text).toString('base64').slice(0, 24)];
  const contents = await Promise.all(
    files.map(async (file) => [file, await readFile(file).catch(() => Buffer.alloc(0))] as const),
  );
  expect(contents.length).toBeGreaterThan(2);
  return contents.filter(([, bytes]) => forms.some((form) => bytes.includes(form))).map(([file]) => file);
}
