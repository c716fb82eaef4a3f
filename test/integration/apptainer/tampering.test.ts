/**
 * What a program may put into the directories it can write to, where it runs as the account of the service: no file of
 * that account is read through it, no process of that account ended, and nobody held up. A stand-in for Apptainer starts.
 */

import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apptainerKind } from '../../../launchers/apptainer/apptainer-launcher.ts';
import { parseStarter } from '../../../launchers/apptainer/process-table.ts';
import type { Launcher, LaunchHandle, LaunchSpec } from '../../../src/launcher/launcher.ts';
import { apptainerDefaults } from '../../support/apptainer-bench.ts';
import { startChild } from '../../support/child.ts';
import { nativeHelper } from '../../support/docker.ts';
import { readBytes } from '../../support/follow-attempt.ts';
import { isGone } from '../../support/process-gone.ts';
import { silentLog } from '../../support/silent-log.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

const signal = new AbortController().signal;

/** As the start script names a process. */
function starterOf(pid: number): string {
  const read = (path: string): string => readFileSync(path, 'utf8').trim();
  const start = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /, '')
    .split(' ')[19];
  return `${read('/proc/sys/kernel/hostname')}/${read('/proc/sys/kernel/random/boot_id')}/${pid}/${start}`;
}

describe('a program that runs as the account of the service', () => {
  let directory: TestDirectory;
  let launcher: Launcher;
  let handle: LaunchHandle;
  let own: number;
  let [runDir, entry] = ['', ''];

  beforeEach(async () => {
    directory = await makeTestDirectory('tampering');
    const program = join(directory.path, 'apptainer');
    writeFileSync(program, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    launcher = await apptainerKind.create(
      'node',
      { ...apptainerDefaults, become: false, program },
      {
        installationId: 'i1',
        dataDir: directory.path,
        nativeDir: dirname(nativeHelper),
        registries: {},
        log: silentLog,
        checkpoint: async () => undefined,
      },
    );
    const spec: LaunchSpec = {
      executionId: `e${randomUUID().slice(0, 8)}`,
      attempt: 1,
      tenant: 'T',
      actorId: 'a1',
      image: { name: 'x', digest: `sha256:${'0'.repeat(64)}`, argv: ['/app'] },
      environment: {},
      privileged: false,
      mounts: [],
      limits: { graceMs: 1_000, logBytes: 1_000, resultBytes: 1_000, resultTotalBytes: 1_000, resultCount: 10 },
      notAfter: new Date(Date.now() + 3_600_000),
    };
    handle = await launcher.launch(spec, signal);
    own = parseStarter(handle.nativeId)?.pid ?? 0;
    await until(() => readFileSync(`/proc/${own}/comm`, 'utf8') === 'sleep\n', { what: 'the program' });
    const work = `${directory.path}/work/i1`;
    [runDir, entry] = [`${work}/run/${spec.executionId}-1`, `${work}/ledger/${spec.executionId}-1/entry`];
  });

  afterEach(async () => {
    await launcher.remove(handle);
    await launcher.close();
    await directory[Symbol.asyncDispose]();
  });

  it('shows no file of it as its log or its results', async () => {
    const secret = join(directory.path, 'secrets.key');
    writeFileSync(secret, '\0\0\0\u0003key');
    for (const file of ['log', 'results']) symlinkSync(secret, `${runDir}/${file}`);
    const output = await launcher.collect(handle, signal);
    expect(output.logBytes).toBe(0);
    expect((await readBytes(output.readLog(0))).toString()).toBe('');
    expect(await Array.fromAsync(output.readResults(0))).toEqual([]);
  });

  it('holds nobody up by a pipe in the place of a file', async () => {
    for (const file of ['log', 'results', 'start.log', 'image', 'starter', 'keep']) {
      rmSync(`${runDir}/${file}`, { force: true });
      execFileSync('mkfifo', [`${runDir}/${file}`]);
    }
    execFileSync('mkfifo', [`${entry}/end`]);
    symlinkSync('somebody', `${entry}/start`);
    const output = await launcher.collect(handle, signal);
    expect((await readBytes(output.readLog(0))).toString()).toBe('');
    expect(await launcher.cancel(handle, 1_000)).toBe('stopping');
    await launcher.remove(handle);
    expect(await launcher.sweep(async (found) => found, signal)).toEqual([]);
  });

  it.each(['cancelled', 'removed'])('names no other process to be ended when it is %s', async (how) => {
    await using other = await startChild('setsid', ['sleep', '600'], { cwd: '/' });
    symlinkSync(`0123@${starterOf(other.pid)}`, `${entry}/start`);
    writeFileSync(`${runDir}/starter`, starterOf(other.pid));
    if (how === 'cancelled') await launcher.cancel(handle, 1_000);
    else await launcher.remove(handle);
    await until(async () => await isGone(own), { what: 'its own end' });
    expect(await isGone(other.pid)).toBe(false);
  });
});
