/** `abaco api` and `abaco supervisor` beside each other on one machine, by one site file, with a real engine. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { abacoProgram } from '../support/abaco-up.ts';
import { type Child, startChild } from '../support/child.ts';
import { dockerAvailable, nativeAvailable } from '../support/docker.ts';
import { freePort } from '../support/free-port.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';

const canRun =
  requireService('docker', await dockerAvailable()) &&
  requireService('native', await nativeAvailable()) &&
  requireService('redis', await programAvailable('redis-server'));

const image = 'abaco-test-apart:1';
const program =
  'echo "$_abaco_api_server"; /bin/busybox wget -q -O - --header "Authorization: Bearer $_abaco_access_token" ' +
  '"$_abaco_api_server/actors/v2/$_abaco_actor_id"';

describe.runIf(canRun)('an API and a supervisor apart', () => {
  let directory: TestDirectory;
  let redis: TestRedis;
  let url: string;
  let site: string;
  const children: Child[] = [];

  beforeAll(async () => {
    await ensureProgramImage(image, program);
    directory = await makeTestDirectory('apart');
    redis = await startRedis({ appendfsync: 'always' });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    site = join(directory.path, 'site.toml');
    const service = `[service]\ndata_dir = "${directory.path}/data"\nport = ${port}\n`;
    await writeFile(site, `${service}[redis]\nurl = "${redis.url}"\n[secrets]\nkey_file = "key"\n`);
    await writeFile(join(directory.path, 'key'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
    for (const role of ['api', 'supervisor']) {
      children.push(await startChild(abacoProgram, [role, '--config', site], { cwd: directory.path }));
    }
    await until(() => fetch(`${url}/health/ready`).then(({ ok }) => ok), { timeoutMs: 30_000, what: 'the API' });
  });

  afterAll(async () => {
    for (const child of children) await child.stop();
    await redis[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await removeProgramImage(image);
  });

  async function call(path: string, body?: object): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/json' };
    const init = body && { method: 'POST', headers, body: JSON.stringify(body) };
    const answer = (await (await fetch(`${url}${path}`, init)).json()) as { readonly result: Record<string, unknown> };
    return answer.result;
  }

  it('tell containers an address at which the API answers them', async () => {
    const { id: actor } = await call('/actors/v2', { image });
    const { execution_id: execution } = await call(`/actors/v2/${String(actor)}/messages`, { message: 'm' });
    const path = `/actors/v2/${String(actor)}/executions/${String(execution)}`;
    await until(async () => (await call(path))['status'] === 'COMPLETE', { timeoutMs: 30_000, what: 'the end' });
    const { logs } = await call(`${path}/logs`);
    expect(logs).toMatch(/^http:\/\/(?!127\.)\S+\n\{/);
    expect(logs).toContain(`"id":"${String(actor)}"`);
  });

  it('say at the start what is needed where containers have no address of the API', async () => {
    const options = { cwd: directory.path, env: { ABACO_SERVICE_PORT: '0' } };
    await using supervisor = await startChild(abacoProgram, ['supervisor', '--config', site], options);
    await until(() => supervisor.output().includes('set service.container_url'), { timeoutMs: 30_000 });
    expect(children.map((child) => child.output()).join('')).not.toContain('set service.container_url');
    await supervisor.stop();
  });
});
