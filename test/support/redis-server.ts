import { join } from 'node:path';
import { Redis } from 'ioredis';

import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

export interface RedisOptions {
  /** `always` is what the service insists on; `off` is no append-only file at all. */
  readonly appendfsync?: 'always' | 'everysec' | 'no' | 'off';
  /** One node that holds all slots: a script whose keys are not in one slot fails there. */
  readonly cluster?: boolean;
  /** Kept after the end when given, so that a later server finds its data. */
  readonly dir?: string;
}

/** A real `redis-server` of this test alone. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Unix socket of the same server. */
  readonly socketPath: string;
  readonly dir: string;
  /** Of the server that runs now; another one after `start`. */
  pid(): number;
  /** SIGKILL leaves the data as a crash would. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same address and data. */
  start(): Promise<void>;
}

/** Starts a `redis-server` on a free port of loopback and on a socket, and waits until it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const directory = options.dir === undefined ? await makeTestDirectory('redis') : undefined;
  const dir = options.dir ?? directory?.path ?? '';
  const socketPath = join(dir, 'redis.sock');
  const port = await freePort();
  const args = serverArguments({ ...options, dir, socketPath, port, busPort: await freePort() });
  let server: Child;
  const start = async () => {
    server = await startChild('redis-server', args, { cwd: dir });
    await untilReady(server, port, options.cluster ?? false);
  };
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => server.stop(signal);
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    socketPath,
    dir,
    pid: () => server.pid,
    start,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
      await directory?.[Symbol.asyncDispose]();
    },
  };
}

interface Places extends RedisOptions {
  readonly dir: string;
  readonly socketPath: string;
  readonly port: number;
  readonly busPort: number;
}

function serverArguments({ dir, socketPath, port, busPort, cluster, appendfsync = 'always' }: Places): string[] {
  const settings: [string, string][] = [
    ['bind', '127.0.0.1'],
    ['port', String(port)],
    ['unixsocket', socketPath],
    ['dir', dir],
    ['save', ''],
    ['appendonly', appendfsync === 'off' ? 'no' : 'yes'],
    ['appendfsync', appendfsync === 'off' ? 'no' : appendfsync],
  ];
  if (cluster) settings.push(['cluster-enabled', 'yes'], ['cluster-port', String(busPort)]);
  return settings.flatMap(([name, value]) => [`--${name}`, value]);
}

async function untilReady(server: Child, port: number, cluster: boolean): Promise<void> {
  const redis = new Redis(port, '127.0.0.1', { retryStrategy: () => 10, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  try {
    await until(() => answers(server, redis, cluster), { timeoutMs: 10_000, everyMs: 5, what: 'redis-server' });
  } catch (error) {
    await server.stop('SIGKILL');
    throw new Error(`redis-server did not come up; it said:\n${server.output()}`, { cause: error });
  } finally {
    redis.disconnect();
  }
}

async function answers(server: Child, redis: Redis, cluster: boolean): Promise<boolean> {
  if (server.exited()) throw new Error('redis-server has ended');
  if (redis.status !== 'ready') return false;
  if (!cluster) return (await redis.ping()) === 'PONG';
  const info = await redis.cluster('INFO');
  if (info.includes('cluster_slots_assigned:0')) await redis.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  return info.includes('cluster_state:ok');
}
