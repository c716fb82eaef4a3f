/** Trouble that users meet, on `abaco up` with a real engine: messages wait, the wait says why, nothing is lost. */

import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRedis } from '../../src/storage/redis.ts';
import { type AbacoUp, abacoProgram, runAbaco, startAbacoUp } from '../support/abaco-up.ts';
import { startChild } from '../support/child.ts';
import { dockerAvailable, nativeAvailable } from '../support/docker.ts';
import { type EngineLink, linkEngine } from '../support/engine-link.ts';
import { isGone } from '../support/process-gone.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';

const canRun =
  requireService('docker', await dockerAvailable()) &&
  requireService('native', await nativeAvailable()) &&
  requireService('redis', await programAvailable('redis-server'));

const image = 'abaco-test-trouble:1';

describe.runIf(canRun)('abaco up', () => {
  let directory: TestDirectory;
  let link: EngineLink;
  let up: AbacoUp;

  beforeAll(async () => {
    await ensureProgramImage(image, 'sh -c "$MSG"');
    directory = await makeTestDirectory('trouble');
    link = await linkEngine(directory.path);
    const site = join(directory.path, 'site.toml');
    await writeFile(
      site,
      `[launchers.local]\nkind = "docker"\nsocket = "${link.socket}"\n[workers]\nsweep = "500ms"\n`,
    );
    up = await startAbacoUp({ ABACO_CONFIG: site });
  });

  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await removeProgramImage(image);
  });

  async function call(path: string, body?: object): Promise<Record<string, unknown>> {
    const init = body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
    const answer = await fetch(`${up.url}${path}`, init);
    if (!answer.ok) throw new Error(await answer.text());
    return ((await answer.json()) as { readonly result: Record<string, unknown> }).result;
  }

  async function newActor(name = image): Promise<string> {
    return String((await call('/actors', { image: name }))['id']);
  }

  async function post(actor: string, message: string): Promise<string> {
    const { execution_id: id } = await call(`/actors/${actor}/messages`, { message });
    return `/actors/${actor}/executions/${String(id)}`;
  }

  async function untilWait(execution: string, cause: RegExp): Promise<Readonly<Record<string, unknown>>> {
    return await until(
      async () => {
        const wait = (await call(execution))['wait'] as Record<string, unknown> | undefined;
        return cause.test(String(wait?.['cause'])) ? wait : undefined;
      },
      { timeoutMs: 20_000, what: `a wait for ${cause}` },
    );
  }

  const untilEnded = (execution: string): Promise<Record<string, unknown>> =>
    until(
      async () => {
        const found = await call(execution);
        return found['status'] === 'COMPLETE' || found['status'] === 'ERROR' ? found : undefined;
      },
      { timeoutMs: 30_000, what: `${execution} to end` },
    );

  it('keeps messages while the engine is away, says so, and runs them when it is back', async () => {
    const actor = await newActor();
    await untilEnded(await post(actor, 'true'));
    await link.cut();
    const executions = await Promise.all([post(actor, 'exit 3'), post(actor, 'exit 4')]);
    const [wait] = await Promise.all(executions.map((execution) => untilWait(execution, /engine/i)));
    expect(wait).toMatchObject({
      owner: 'operator',
      next: expect.stringContaining('launcher "local"'),
      since: expect.stringMatching(/^20\d\d-/),
      age_ms: expect.any(Number),
    });
    await link.restore();
    const ended = await Promise.all(executions.map(untilEnded));
    expect(ended.map((each) => each['exit_code'])).toEqual([3, 4]);
  });

  it('goes on with what runs when the engine was away meanwhile', async () => {
    const actor = await newActor();
    const execution = await post(actor, 'echo before; usleep 1500000; echo after; exit 5');
    await until(async () => (await call(execution))['status'] === 'RUNNING', { timeoutMs: 20_000 });
    await link.cut();
    await until(
      async () => (await fetch(`${up.url}${execution}/logs`).then((answer) => answer.text())).includes('after'),
      {
        timeoutMs: 20_000,
        what: 'the log, which needs no engine',
      },
    );
    expect((await call(execution))['status']).toBe('RUNNING');
    await link.restore();
    expect(await untilEnded(execution)).toMatchObject({ status: 'COMPLETE', exit_code: 5, end: 'exited' });
  });

  it('puts an actor whose image nobody has into ERROR, keeps its message, and runs it with a better image', async () => {
    const actor = await newActor('127.0.0.1:1/no/such:image');
    const execution = await post(actor, 'exit 6');
    const wait = await untilWait(execution, /127\.0\.0\.1:1\/no\/such:image/);
    expect(wait['next']).toEqual(expect.any(String));
    const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ image }) };
    await fetch(`${up.url}/actors/${actor}`, init);
    expect(await untilEnded(execution)).toMatchObject({ status: 'COMPLETE', exit_code: 6 });
  });

  it('refuses a data directory that another one holds, and leaves that one alone', async () => {
    const second = await runAbaco(['up', '--data-dir', up.dataDir, '--port', '0']);
    expect(second.exitCode).toBe(1);
    expect(second.errors).toContain(`Data directory "${up.dataDir}" is held by another process`);
    expect(second.errors.trim().split('\n')).toHaveLength(1);
    expect(await untilEnded(await post(await newActor(), 'exit 7'))).toMatchObject({ exit_code: 7 });
  });

  async function redisProcess(dataDir: string): Promise<number> {
    const redis = await openRedis({ url: join(dataDir, 'redis', 'redis.sock'), onError: () => undefined });
    const info = await redis.info('server').finally(() => redis.disconnect());
    return Number(/process_id:(\d+)/.exec(info)?.[1]);
  }

  it('that is told to end while it starts stops what it had started by then', async () => {
    await using early = await makeTestDirectory('early');
    const dataDir = join(early.path, 'data');
    await using child = await startChild(abacoProgram, ['up', '--data-dir', dataDir, '--port', '0'], {
      cwd: early.path,
    });
    const redis = await until(async () => await redisProcess(dataDir).catch(() => undefined), {
      timeoutMs: 30_000,
      everyMs: 5,
      what: 'its Redis',
    });
    await child.stop('SIGTERM');
    expect(child.process.exitCode).toBe(0);
    await until(() => isGone(redis), { what: 'the end of its Redis' });
  });

  // The last one: it ends with the service.
  it('starts its Redis again when that is killed, loses nothing it had answered, and leaves none behind', async () => {
    const actor = await newActor();
    const running = await post(actor, 'usleep 1500000; exit 8');
    await until(async () => (await call(running))['status'] === 'RUNNING', { timeoutMs: 20_000 });
    const killed = await redisProcess(up.dataDir);
    // In the way of a start, so that it has to be tried again.
    const [data, aside] = [join(up.dataDir, 'redis', 'appendonlydir'), join(directory.path, 'aside')];
    await rename(data, aside);
    await writeFile(data, 'no directory');
    process.kill(killed, 'SIGKILL');
    const detail = await until(async () => {
      const answer = await fetch(`${up.url}/health/ready`);
      const { redis } = (await answer.json()) as { readonly redis: { readonly detail: string } };
      return answer.status === 503 && redis.detail.includes('did not start') ? redis.detail : undefined;
    });
    expect(up.child.output()).toContain(JSON.stringify(detail));
    await rm(data);
    await rename(aside, data);
    const next = await until(() => post(actor, 'exit 9'), { timeoutMs: 20_000, what: 'a post to succeed' });
    const again = await redisProcess(up.dataDir);
    expect(again).not.toBe(killed);
    expect(await untilEnded(running)).toMatchObject({ status: 'COMPLETE', exit_code: 8 });
    expect(await untilEnded(next)).toMatchObject({ status: 'COMPLETE', exit_code: 9 });
    await up.child.stop('SIGTERM');
    await until(() => isGone(again), { what: 'the end of its Redis' });
  });
});
