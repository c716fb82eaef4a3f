import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { packageRoot } from './package-root.ts';
import { makeTestDirectory, type TestDirectory } from './test-directory.ts';
import { until } from './until.ts';

/** Somewhere to keep a history for one test file, with a database of its own. */
export interface TestMongo extends AsyncDisposable {
  /** Without a database in its path. */
  readonly url: string;
  /** A fresh name; dropped at the end. */
  readonly database: string;
  /** The server is this test's own, so that it may stage an outage with `stop` and `start`. */
  readonly ownServer: boolean;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** On the same address and data. */
  start(): Promise<void>;
}

const standIn = join(packageRoot, '.cache', 'mongo');
const externalUrl = () => process.env['ABACO_TEST_MONGO_URL'];

/** Whether `startMongo` will find a MongoDB: one from the environment, or the stand-in that the set-up has fetched. */
export async function mongoAvailable(): Promise<boolean> {
  if (externalUrl()) return true;
  return await access(join(standIn, 'classes', 'MongoStandIn.class')).then(
    () => true,
    () => false,
  );
}

/** The server of `ABACO_TEST_MONGO_URL`, else the stand-in as a child on a free port of loopback. */
export async function startMongo(): Promise<TestMongo> {
  const database = `abaco-test-${randomBytes(6).toString('hex')}`;
  const url = externalUrl();
  return url ? useExternal(url, database) : await startStandIn(database);
}

function useExternal(url: string, database: string): TestMongo {
  const refuse = () => Promise.reject(new Error('This MongoDB is not ours to stop; see `ownServer`'));
  return {
    url,
    database,
    ownServer: false,
    stop: refuse,
    start: refuse,
    [Symbol.asyncDispose]: async () => {
      await using client = await MongoClient.connect(url);
      await client.db(database).dropDatabase();
    },
  };
}

async function startStandIn(database: string): Promise<TestMongo> {
  const directory = await makeTestDirectory('mongo');
  const port = await freePort();
  let server: Child;
  const start = async () => {
    server = await spawnStandIn(directory, port);
  };
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => server.stop(signal);
  await start();
  return {
    url: `mongodb://127.0.0.1:${port}`,
    database,
    ownServer: true,
    start,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function spawnStandIn(directory: TestDirectory, port: number): Promise<Child> {
  const classPath = `${join(standIn, 'classes')}:${join(standIn, 'lib', '*')}`;
  // A test's server lives for seconds: compiling its code well would cost more than it saves.
  const jvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m', '-cp', classPath];
  const data = join(directory.path, 'mongo.h2');
  const server = await startChild('java', [...jvm, 'MongoStandIn', String(port), data], { cwd: directory.path });
  const listening = () => {
    if (server.exited()) throw new Error(`The MongoDB stand-in ended; it said:\n${server.output()}`);
    return server.output().includes('listening');
  };
  await until(listening, { timeoutMs: 30_000, what: 'the MongoDB stand-in' });
  return server;
}
