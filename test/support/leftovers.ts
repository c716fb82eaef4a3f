import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { testRootVariable } from './test-directory.ts';

interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/**
 * Runs around all projects: gives the run a directory of its own, and fails the run when a process that a test started
 * is still there at the end. What is found is killed first, so that one forgotten child does not disturb the next run.
 */
export default async function watchLeftovers(): Promise<() => Promise<void>> {
  const root = await mkdtemp(join(tmpdir(), 'abaco-test-'));
  process.env[testRootVariable] = root;
  return async () => {
    const leftovers = await findLeftovers(root);
    for (const { pid } of leftovers) kill(pid);
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
    if (leftovers.length === 0) return;
    const lines = leftovers.map(({ pid, command }) => `  ${pid} ${command}`);
    process.exitCode = 1;
    throw new Error(`Tests left processes behind; they were killed now:\n${lines.join('\n')}`);
  };
}

/** Processes that work in `root` or inherited it, but for vitest's own. */
async function findLeftovers(root: string): Promise<Leftover[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => inspect(pid, root)));
  return found.filter((leftover) => leftover !== undefined);
}

async function inspect(pid: number, root: string): Promise<Leftover | undefined> {
  const [cwd, environment, commandLine] = await Promise.all([
    readlink(`/proc/${pid}/cwd`).catch(() => ''),
    readFile(`/proc/${pid}/environ`, 'utf8').catch(() => ''),
    readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
  ]);
  const command = commandLine.replaceAll('\0', ' ').trim();
  const ours = cwd.startsWith(root) || environment.includes(`${testRootVariable}=${root}`);
  if (!ours || command === '' || pid === process.pid || command.includes('vitest')) return undefined;
  return { pid, command };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself between the look and the kill.
  }
}
