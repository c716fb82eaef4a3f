/** What a running process asks the system for, seen with `strace`. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { until } from './until.ts';

/** @returns the calls of the process and its threads while `act` ran, one a line: thread, call, files by name. */
export async function traceSystemCalls(pid: number, dir: string, act: () => Promise<void>): Promise<readonly string[]> {
  const file = join(dir, 'system-calls');
  const calls = 'trace=read,recvfrom,write,writev,sendto,sendmsg,fsync,fdatasync';
  const options = ['-f', '-y', '-s', '65536', '-e', calls, '-e', 'signal=none', '-o', file, '-p', String(pid)];
  await using strace = await startChild('strace', options, { cwd: dir });
  await until(() => strace.output().includes(' attached') || strace.exited(), { what: 'strace to attach' });
  if (strace.exited()) throw new Error(`strace does not trace: ${strace.output()}`);
  await act();
  await strace.stop('SIGINT');
  return (await readFile(file, 'utf8')).split('\n');
}

export interface Answered {
  /** Between the read of the command and the answer to it, by the thread that answered. */
  readonly written: boolean;
  readonly synced: boolean;
}

/**
 * Finds the command that holds `word` and the answer on the same connection; says whether the append-only file was
 * written and synced in between. A sync by another thread proves nothing: it may have begun before the write.
 */
export function findAnswer(calls: readonly string[], word: string): Answered | undefined {
  const asked = calls.findIndex((call) => /^\d+ +(read|recvfrom)\(/.test(call) && call.includes(word));
  const [, thread, connection] = /^(\d+) +\w+\((\d+)</.exec(calls[asked] ?? '') ?? [];
  if (thread === undefined) return undefined;
  const own = calls.slice(asked + 1).filter((call) => call.startsWith(`${thread} `));
  const answer = own.findIndex((call) =>
    new RegExp(`^\\d+ +(write|writev|sendto|sendmsg)\\(${connection}<`).test(call),
  );
  if (answer < 0) return undefined;
  const between = own.slice(0, answer);
  const written = between.findIndex((call) => /^\d+ +writev?\(\d+<[^>]*\.aof>/.test(call) && call.includes(word));
  const synced = between.findLastIndex((call) => /^\d+ +(fsync|fdatasync)\(\d+<[^>]*\.aof>\) += 0/.test(call));
  return { written: written >= 0, synced: written >= 0 && synced > written };
}
