/**
 * Events and schedules while the processes that tell them are killed: a Redis, an API and supervisors as processes of their
 * own, on the mock launcher.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.ts';
import { packageRoot } from '../support/package-root.ts';
import { startRedis, type TestRedis } from '../support/redis-server.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';
import { startWebhookServer, type WebhookServer } from '../support/webhook-server.ts';

const isLong = process.env['ABACO_TEST_CRASH'] === 'long';
const points = [
  'event-before-post',
  'event-after-post',
  ...(isLong ? ['event-before-target', 'event-after-done'] : []),
];

let redis: TestRedis;
let directory: TestDirectory;
let webhook: WebhookServer;
let api: Service;
let started = 0;

interface Service {
  readonly child: Child;
  readonly address: string;
  untilHit(): Promise<void>;
}

async function startService(roles: string, checkpoint?: string): Promise<Service> {
  started += 1;
  const [addressFile, hitFile] = [`address-${started}`, `hit-${started}`].map((name) => join(directory.path, name));
  const child = await startChild(
    process.execPath,
    [join(packageRoot, 'test/support/service-process.ts'), join(directory.path, 'site.toml'), roles, addressFile ?? ''],
    { cwd: directory.path, env: { ABACO_TEST_CHECKPOINT: checkpoint ? `${checkpoint} kill ${hitFile}` : '' } },
  );
  const there = (path = ''): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const untilHit = async (): Promise<void> =>
    void (await until(() => there(hitFile), { timeoutMs: 60_000, what: `checkpoint ${checkpoint}` }));
  // One that is to be killed may be so before it has said where it is.
  if (checkpoint !== undefined) return { child, address: '', untilHit };
  const address = await until(
    async () => {
      if (child.exited()) throw new Error(`The service ended:\n${child.output()}`);
      return await there(addressFile);
    },
    { timeoutMs: 60_000, what: `${roles} to start` },
  );
  return { child, address, untilHit };
}

beforeAll(async () => {
  directory = await makeTestDirectory('events');
  redis = await startRedis({ appendfsync: 'always' });
  webhook = await startWebhookServer();
  const site = `
[service]
data_dir = "${directory.path}/data"
port = 0
default_launcher = "mock"
[redis]
url = "${redis.url}"
[workers]
lease = "1s"
extend_every = "300ms"
sweep = "300ms"
[events]
allow_private = true
webhook_timeout = "500ms"
[launchers.mock]
kind = "mock"
`;
  await writeFile(join(directory.path, 'site.toml'), site);
  api = await startService('api');
}, 120_000);

afterAll(async () => {
  await api.child.stop('SIGKILL');
  await webhook[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await directory[Symbol.asyncDispose]();
});

async function call(path: string, json?: object): Promise<Readonly<Record<string, unknown>>> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) };
  const answer = await fetch(`${api.address}${path}`, json === undefined ? {} : init);
  const { result, message } = (await answer.json()) as { readonly result: Record<string, unknown>; message: string };
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${message}`);
  return result;
}

async function register(settings: object = {}): Promise<string> {
  return String((await call('/actors', { image: 'mock/program:1', ...settings }))['id']);
}

interface Ran {
  readonly id: string;
  readonly executor: unknown;
  readonly log: string;
}

/** What the actor ran, once so much of it has come to its end. */
async function untilRan(actorId: string, count: number): Promise<readonly Ran[]> {
  const listed = await until(
    async () => {
      const { executions } = await call(`/actors/${actorId}/executions`);
      const all = executions as readonly { readonly id: string; readonly status: string }[];
      return all.length >= count && all.every(({ status }) => status === 'COMPLETE') ? all : undefined;
    },
    { timeoutMs: 60_000, everyMs: 100, what: `${count} executions of actor "${actorId}"` },
  );
  return await Promise.all(
    listed.map(async ({ id }) => {
      const { executor } = await call(`/actors/${actorId}/executions/${id}`);
      const { logs } = await call(`/actors/${actorId}/executions/${id}/logs`);
      return { id, executor, log: String(logs) };
    }),
  );
}

describe('a supervisor that is killed while it tells events', () => {
  it.each(points)(
    'at %s has each told to the link once, and to the webhook',
    async (point) => {
      const target = await register();
      const source = await register({ link: target, webhook: `${webhook.url}/${point}` });
      const victim = await startService('supervisor', point);
      const { execution_id: execution } = await call(`/actors/${source}/messages`, { message: 'go' });
      await victim.untilHit();
      await victim.child.stop('SIGKILL');
      const next = await startService('supervisor');
      const posted = (): readonly string[] =>
        webhook.received
          .filter(({ path }) => path === `/${point}`)
          .map(({ headers }) => String(headers['idempotency-key']));
      await until(() => new Set(posted()).size === 2, { timeoutMs: 60_000, what: 'both events at the webhook' });
      const ran = await untilRan(target, 2);
      // Drained, it has told all it knows.
      await next.child.stop();
      expect(ran.map(({ executor }) => executor)).toEqual(['Abaco Event', 'Abaco Event']);
      expect(ran[0]?.log).toContain("'event_type': 'ACTOR_READY'");
      expect(ran[1]?.log).toContain(`'execution_id': '${String(execution)}'`);
      expect(await untilRan(target, 2)).toHaveLength(2);
    },
    180_000,
  );
});

describe('a supervisor that is killed while it runs a schedule', () => {
  it.each(['schedule-before-post', 'schedule-after-post'])(
    'at %s has its message sent once',
    async (point) => {
      const id = await register({ cron_schedule: 'now + 1 month' });
      const victim = await startService('supervisor', point);
      await victim.untilHit();
      await victim.child.stop('SIGKILL');
      const others = await Promise.all([startService('supervisor'), startService('supervisor')]);
      const [ran] = await untilRan(id, 1);
      expect(ran).toMatchObject({ executor: 'cron', log: 'This is your cron execution\n' });
      await until(async () => (await call(`/actors/${id}`))['cron_next_ex'] !== (await firstOf(id)), {
        timeoutMs: 60_000,
      });
      for (const other of others) await other.child.stop();
      expect(await untilRan(id, 1)).toHaveLength(1);
    },
    180_000,
  );
});

/** The hour in which it was registered, as the schedule shows it at first. */
async function firstOf(id: string): Promise<string> {
  const created = new Date(String((await call(`/actors/${id}`))['create_time']));
  return `${created.getUTCFullYear()}-${created.getUTCMonth() + 1}-${created.getUTCDate()} ${created.getUTCHours()}`;
}
