/** A service of the demo's own: `abaco up` on a directory of its own, gone when the demo is. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pause } from '../../src/lib/backoff.ts';
import { packagePath } from '../../src/lib/package-root.ts';
import { textIn } from './checks.ts';
import { sendRequest } from './curl.ts';

const run = promisify(execFile);

export interface DemoService {
  readonly url: string;
  /** Resolves when the service has ended, asked to or not. */
  readonly ended: Promise<unknown>;
  /** How many executions run. */
  running(): Promise<number>;
  /** Drains; again forces. Resolves when it has ended and nothing of it is left. */
  stop(): Promise<void>;
}

const usualPort = 8000;
const startMs = 60_000;
/** How long what runs may take when the service is stopped. */
export const drainSeconds = 30;

/** Rejects, with the end of the service's log, when it does not become ready. */
export async function startService(signal: AbortSignal): Promise<DemoService> {
  // Short, since sockets lie in it and their paths may not be long.
  const home = await mkdtemp(join(tmpdir(), 'abaco-demo-'));
  const logFile = join(home, 'service.log');
  const child = await spawnService(home, logFile);
  const ended = once(child, 'exit');
  const clear = async (): Promise<void> => {
    await ended;
    await clearEngine(home);
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
  };
  let clearing: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    if (!hasExited(child)) child.kill('SIGTERM');
    await (clearing ??= clear());
  };
  try {
    const url = await readyAddress(child, logFile, signal);
    return { url, ended, running: async () => await countRunning(url), stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** What the service prepared on the engine is of no use to another, which could not tell whose it is. */
async function clearEngine(home: string): Promise<void> {
  const mark = await readFile(join(home, 'data', 'installation.json'), 'utf8').catch(() => undefined);
  if (mark === undefined) return;
  const id = textIn(JSON.parse(mark), 'installationId');
  await run('sh', [packagePath('scripts', 'remove-from-engine.sh'), id]).catch(() => undefined);
}

/** In a process group of its own: Ctrl-C is for the demo, which drains the service once. */
async function spawnService(home: string, logFile: string): Promise<ChildProcess> {
  await using log = await open(logFile, 'a', 0o600);
  const args = ['up', '--data-dir', join(home, 'data'), '--port', String(await choosePort())];
  const child = spawn(packagePath('scripts', 'abaco'), args, {
    detached: true,
    env: { ...withoutSettings(process.env), ABACO_LOGGING_PRETTY: 'never', ABACO_SERVICE_DRAIN: `${drainSeconds}s` },
    stdio: ['ignore', log.fd, log.fd],
  });
  await once(child, 'spawn');
  return child;
}

/** Settings of the user's own service are not for this one. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^ABACO_(?!TEST_)/.test(name)));
}

/** The usual port where it is free, else 0, with which the service takes any. */
async function choosePort(): Promise<number> {
  const server = createServer().listen(usualPort, '0.0.0.0');
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (!isFree) return 0;
  server.close();
  await once(server, 'close');
  return usualPort;
}

async function readyAddress(child: ChildProcess, logFile: string, signal: AbortSignal): Promise<string> {
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline && !hasExited(child)) {
    signal.throwIfAborted();
    const url = parseAddress(await readFile(logFile, 'utf8'));
    if (url !== undefined && (await isReady(url))) return url;
    await pause(50, signal);
  }
  const log = await readFile(logFile, 'utf8');
  throw new Error(
    `The service did not become ready; the end of its log:\n${log.trimEnd().split('\n').slice(-15).join('\n')}`,
  );
}

/** The first one it says it listens on. */
function parseAddress(log: string): string | undefined {
  return /^abaco listens on (http:\/\/\S+)$/m.exec(log)?.[1];
}

async function isReady(url: string): Promise<boolean> {
  return await fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function countRunning(url: string): Promise<number> {
  const { body } = await sendRequest(url, { path: '/actors/v2/executions?status=RUNNING' });
  const { result } = JSON.parse(body) as { readonly result: { readonly executions: readonly unknown[] } };
  return result.executions.length;
}

function hasExited({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
