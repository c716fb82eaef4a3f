/**
 * A whole installation whose parts can be killed: a Redis, an API and any number of supervisors as processes of their own,
 * one engine, and an actor whose program writes down each of its starts.
 */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createActorStore } from '../../src/actors/actor-store.ts';
import { newsChannel } from '../../src/mailbox/keys.ts';
import { createMailbox } from '../../src/mailbox/mailbox.ts';
import { type Child, startChild } from './child.ts';
import { connectDocker } from './docker.ts';
import { packageRoot } from './package-root.ts';
import { ensureProgramImage, removeProgramImage } from './program-image.ts';
import { startRedis, type TestRedis } from './redis-server.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

/** `doomed` is there to be deleted. */
export type TestActor = 'stateless' | 'stateful' | 'doomed';

export interface CrashBench extends AsyncDisposable {
  readonly redis: TestRedis;
  /** Posts until it is accepted, with one Idempotency-Key. @returns the execution's id. */
  post(message: string, actor?: TestActor): Promise<string>;
  /** The program does not end for this message until the hold is released. */
  hold(message: string): Promise<{ release(): Promise<void> }>;
  execution(id: string, actor?: TestActor): Promise<Readonly<Record<string, unknown>>>;
  untilEnded(ids: readonly string[], actor?: TestActor): Promise<void>;
  deleteActor(actor: TestActor): Promise<void>;
  /** `checkpoint` is `POINT kill` or `POINT stop`; it applies once. */
  startSupervisor(checkpoint?: string): Promise<Supervisor>;
  /** Lines the program wrote, one a start: execution id and message. */
  starts(): Promise<readonly string[]>;
  /** How often its end was told; news is lost while Redis is down, so an end may have been told to nobody. */
  endsTold(id: string): number;
  /** What there still is that carries this installation's id, or waits in Redis. */
  leftovers(): Promise<readonly string[]>;
  /** What there is of executions that have ended and whose removal nothing asks for: a sweep alone could find it. */
  unowed(): Promise<readonly string[]>;
  /** What supervisors said of removals that no cleanup entry asked for, since this was last asked. */
  strays(): readonly string[];
}

export interface Supervisor {
  readonly child: Child;
  /** Resolves when the checkpoint was passed. */
  untilHit(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const image = 'abaco-test-starts:1';
const script =
  'echo "$_abaco_execution_id $MSG" >> /counts/starts; echo "log of $MSG"; usleep 100000; ' +
  'while [ -e "/counts/hold $MSG" ]; do usleep 20000; done';
const untilEndedMs = 60_000;

export async function makeCrashBench(): Promise<CrashBench> {
  await ensureProgramImage(image, script);
  const directory = await makeTestDirectory('crash');
  const redis = await startRedis({ appendfsync: 'always' });
  const counts = join(directory.path, 'counts');
  await mkdir(counts);
  await chmod(counts, 0o777);
  const file = join(directory.path, 'site.toml');
  await writeFile(file, siteFile(directory.path, counts, redis.url));

  let started = 0;
  const children: Child[] = [];
  async function startService(roles: string, checkpoint?: string): Promise<Supervisor & { readonly address: string }> {
    started += 1;
    const addressFile = join(directory.path, `address-${started}`);
    const hitFile = join(directory.path, `hit-${started}`);
    const child = await startChild(
      process.execPath,
      [join(packageRoot, 'test/support/service-process.ts'), file, roles, addressFile],
      { cwd: directory.path, env: { ABACO_TEST_CHECKPOINT: checkpoint ? `${checkpoint} ${hitFile}` : '' } },
    );
    children.push(child);
    const there = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
    const address = await until(
      async () => {
        if (child.exited() && !(await there(hitFile))) throw new Error(`The service ended:\n${child.output()}`);
        return (await there(hitFile)) ? 'hit' : await there(addressFile);
      },
      { timeoutMs: 30_000, what: `${roles} to start` },
    );
    return {
      child,
      address,
      async untilHit() {
        await until(() => there(hitFile), { timeoutMs: 30_000, what: `checkpoint ${checkpoint}` });
      },
      stop: (signal = 'SIGTERM') => child.stop(signal),
    };
  }

  const api = await startService('api');
  const call = async (path: string, init?: RequestInit): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${api.address}${path}`, init);
    const body = (await answer.json()) as { readonly result: Record<string, unknown>; readonly message: string };
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${body.message}`);
    return body.result;
  };
  const register = async (stateless: boolean): Promise<string> => {
    const init = { method: 'POST', headers: json, body: JSON.stringify({ image, stateless }) };
    return String((await call('/actors', init))['id']);
  };
  const actors = { stateless: await register(true), stateful: await register(false), doomed: await register(true) };
  const execution: CrashBench['execution'] = (id, actor = 'stateless') =>
    call(`/actors/${actors[actor]}/executions/${id}`);
  const connect = (): Redis => {
    const client = new Redis(redis.url, { maxRetriesPerRequest: null });
    return client.on('error', () => undefined);
  };
  const connection = connect();
  const listener = connect();
  const ends: string[] = [];
  listener.on('pmessage', (_pattern, _channel, text: string) => {
    if (text.startsWith('ended ')) ends.push(text.slice('ended '.length));
  });
  await listener.psubscribe(newsChannel('abaco', { tenant: '*', actorId: '*' }));
  const registry = createActorStore({ redis: connection, prefix: 'abaco' });
  const mailbox = createMailbox({
    redis: connection,
    prefix: 'abaco',
    maxWaiting: 0,
    idempotencyKeepMs: 1,
    resultsKeepMs: 1,
  });

  /** Containers and run directories of this installation. */
  async function made(): Promise<readonly string[]> {
    const containers = await connectDocker().listContainers({
      all: true,
      filters: { label: ['org.abaco.installation'] },
    });
    const installation = JSON.parse((await connection.get('abaco:installation')) ?? '{}') as {
      installationId?: string;
    };
    const ours = containers.filter((each) => each.Labels['org.abaco.installation'] === installation.installationId);
    const runs = await readdir(join(directory.path, 'data/launchers/local/run')).catch(() => []);
    return [...ours.flatMap((each) => each.Names), ...runs];
  }

  return {
    redis,
    async post(message, actor = 'stateless') {
      const init = {
        method: 'POST',
        headers: { ...json, 'Idempotency-Key': randomBytes(8).toString('hex') },
        body: JSON.stringify({ message }),
      };
      const result = await until(() => call(`/actors/${actors[actor]}/messages`, init), {
        timeoutMs: 30_000,
        what: 'the message to be accepted',
      });
      return String(result['execution_id']);
    },
    async hold(message) {
      const held = join(counts, `hold ${message}`);
      await writeFile(held, '');
      return { release: () => rm(held) };
    },
    execution,
    async deleteActor(actor) {
      await call(`/actors/${actors[actor]}`, { method: 'DELETE' });
    },
    async untilEnded(ids, actor = 'stateless') {
      for (const id of ids) {
        await until(
          async () => {
            const { status } = await execution(id, actor);
            return status === 'COMPLETE' || status === 'ERROR';
          },
          { timeoutMs: untilEndedMs, everyMs: 50, what: `execution "${id}" to end` },
        );
      }
    },
    startSupervisor: (checkpoint) => startService('supervisor', checkpoint),
    async starts() {
      const text = await readFile(join(counts, 'starts'), 'utf8').catch(() => '');
      return text.split('\n').filter((line) => line !== '');
    },
    endsTold: (id) => ends.filter((each) => each === id).length,
    async leftovers() {
      const loads = await Promise.all(
        (await registry.refs()).map(async (ref) => {
          const { waiting, held, cleanups } = await mailbox.load(ref);
          return waiting + held + cleanups === 0
            ? []
            : [`${ref.actorId}: ${waiting} waiting, ${held} held, ${cleanups} to clean`];
        }),
      );
      return [...(await made()), ...loads.flat()];
    },
    async unowed() {
      const known = (await registry.refs()).map(async (ref) => [
        ...(await mailbox.liveIds(ref)),
        ...(await mailbox.cleanups(ref)).map(({ executionId }) => executionId),
      ]);
      const ids = (await Promise.all(known)).flat();
      return (await made()).filter((name) => !ids.some((id) => name.includes(id)));
    },
    strays() {
      const said = children.splice(0).map((child) => child.output());
      return said.flatMap((output) => output.split('\n').filter((line) => line.includes('stray removed')));
    },
    async [Symbol.asyncDispose]() {
      await api.stop('SIGKILL');
      connection.disconnect();
      listener.disconnect();
      await redis[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
      await removeProgramImage(image);
    },
  };
}

const json = { 'Content-Type': 'application/json' };

/** Short leases, so that a test need not wait long for one to run out. */
function siteFile(directory: string, counts: string, redisUrl: string): string {
  return `
[service]
data_dir = "${directory}/data"
port = 0
[redis]
url = "${redisUrl}"
[workers]
per_actor = 2
lease = "1s"
extend_every = "300ms"
sweep = "300ms"
[mounts.counts]
path = "${counts}"
container = "/counts"
mode = "rw"
`;
}
