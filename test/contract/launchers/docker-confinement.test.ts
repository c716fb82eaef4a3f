import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Launcher } from '../../../src/launcher/launcher.ts';
import { connectDocker } from '../../support/docker.ts';
import { never, runToEnd, specOf, usualLimits } from '../../support/docker-attempt.ts';
import {
  canRunDocker,
  type DockerBench,
  installations,
  makeDockerBench,
  removePreparedImages,
} from '../../support/docker-bench.ts';
import { followToEnd, readOutput } from '../../support/follow-attempt.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';

const canRun = await canRunDocker();
const docker = connectDocker();
/** Some machines, themselves confined, let no container have all capabilities. */
const canPrivilege = canRun && (await privilegedWorks());

async function privilegedWorks(): Promise<boolean> {
  await ensureTestImage();
  const container = await docker.createContainer({ Image: testImage, Cmd: [':'], HostConfig: { Privileged: true } });
  const isStarted = await container.start().then(
    () => true,
    () => false,
  );
  await container.remove({ force: true });
  return isStarted;
}

describe.runIf(canRun)('a docker container', () => {
  let bench: DockerBench;
  let launcher: Launcher;
  const sh = (script: string) => ['sh', '-c', script];

  beforeEach(async () => {
    bench = await makeDockerBench();
    launcher = await bench.open();
  });
  afterEach(async () => {
    const left = await bench.leftovers();
    await launcher.close();
    await bench[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });
  afterAll(removePreparedImages);

  it('has no capabilities and can gain none', async () => {
    const { log } = await runToEnd(launcher, await specOf(launcher, bench, ['cat', '/proc/self/status']));
    expect(log).toMatch(/CapEff:\s+0{16}\n/);
    expect(log).toMatch(/CapBnd:\s+0{16}\n/);
    expect(log).toMatch(/NoNewPrivs:\s+1\n/);
  });

  it('above its memory is killed for that', async () => {
    const limits = { ...usualLimits, memoryBytes: 32 * 1024 * 1024 };
    // A shell variable that doubles without end.
    const { end } = await runToEnd(
      launcher,
      await specOf(launcher, bench, sh('x=0123456789; while :; do x=$x$x; done'), { limits }),
    );
    expect(end).toMatchObject({ kind: 'killed', by: 'out-of-memory', exitCode: 137 });
  });

  it('that forks without end stays within its processes', async () => {
    const limits = { ...usualLimits, pids: 20, timeMs: 1_500, graceMs: 200, logBytes: 10_000 };
    const bomb = 'bomb() { while :; do sleep 100 & done; }; bomb';
    const { end, log } = await runToEnd(launcher, await specOf(launcher, bench, sh(bomb), { limits }));
    expect(log).toContain("can't fork");
    expect(['exited', 'killed']).toContain(end.kind);
  });

  it('cannot use more processors than it may', async () => {
    const limits = { ...usualLimits, nanoCpus: 250_000_000, timeMs: 1_000, graceMs: 200 };
    const { usage } = await runToEnd(launcher, await specOf(launcher, bench, sh('while :; do :; done'), { limits }));
    expect(usage?.cpuMs).toBeLessThan(700);
    expect(usage?.cpuMs).toBeGreaterThan(50);
  });

  it('runs as the user it is given, who alone can read its environment', async () => {
    const script = 'id -u; id -g; head -c 4 /_abaco/run/env';
    const spec = await specOf(launcher, bench, sh(script), { user: '12345:23456', environment: { KEY: 'value' } });
    const handle = await launcher.launch(spec, never);
    const { mode, uid } = await stat(join(bench.path, installations.first, 'run', `${spec.executionId}-1`, 'env'));
    const isRoot = process.getuid?.() === 0;
    expect([mode & 0o777, uid]).toEqual(isRoot ? [0o600, 12345] : [0o444, process.getuid?.()]);
    await followToEnd(launcher, handle);
    expect((await readOutput(await launcher.collect(handle, never))).log).toBe('12345\n23456\nKEY=');
    await launcher.remove(spec);
  });

  it('tells its secrets to nobody who may look at the engine', async () => {
    const spec = await specOf(launcher, bench, sh('exit 0'), {
      environment: { MSG: 'the-message', TOKEN: 'the-secret' },
    });
    const handle = await launcher.launch(spec, never);
    const inspected = JSON.stringify(await docker.getContainer(handle.nativeId).inspect());
    expect(inspected).not.toContain('the-secret');
    expect(inspected).not.toContain('the-message');
    await followToEnd(launcher, handle);
    await launcher.remove(spec);
  });

  it('carries its name and labels', async () => {
    const spec = await specOf(launcher, bench, sh('exit 0'));
    const handle = await launcher.launch(spec, never);
    const { Name, Config } = await docker.getContainer(handle.nativeId).inspect();
    expect(Name).toBe(`/abaco-${installations.first}-${spec.executionId}-1`);
    expect(Config.Labels).toMatchObject({
      'org.abaco.installation': installations.first,
      'org.abaco.execution': spec.executionId,
      'org.abaco.attempt': '1',
      'org.abaco.launcher': 'local',
      'org.abaco.tenant': 'tacc',
      'org.abaco.actor': 'a1',
      'org.abaco.image': testImage,
    });
    await followToEnd(launcher, handle);
    await launcher.remove(spec);
  });

  it('is refused with the words of the engine when it asks for what cannot be', async () => {
    const spec = await specOf(launcher, bench, sh('exit 0'), { limits: { ...usualLimits, memoryBytes: 1 } });
    await expect(launcher.launch(spec, never)).rejects.toThrow(/launch|memory limit/i);
    await launcher.remove(spec);
  });

  it('is refused when its user is not in the image', async () => {
    const spec = await specOf(launcher, bench, sh('exit 0'), { user: 'nobody-of-that-name' });
    await expect(launcher.launch(spec, never)).rejects.toMatchObject({ code: 'launcher.rejected' });
    await launcher.remove(spec);
  });

  it('that writes a gibibyte of log leaves little of it', async () => {
    const limits = { ...usualLimits, logBytes: 50_000 };
    const { end, log, logTruncated } = await runToEnd(
      launcher,
      await specOf(launcher, bench, sh('dd if=/dev/zero bs=1M count=1024 2>/dev/null'), { limits }),
    );
    expect(end).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect(log.length).toBe(50_000);
    expect(logTruncated).toBe(true);
  });

  it('that makes its log and its results a terabyte long is read no further than its limits', async () => {
    const limits = { ...usualLimits, logBytes: 50_000 };
    const script = 'for each in log results; do dd if=/dev/null of=/_abaco/run/$each bs=1M seek=1M count=0; done';
    const { end, log, results } = await runToEnd(launcher, await specOf(launcher, bench, sh(script), { limits }));
    expect(end).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect([log.length, results]).toEqual([50_000, []]);
  });

  it('cannot make the service read another file by a link in the place of its log', async () => {
    const secret = join(bench.path, 'secret');
    await writeFile(secret, 'of the host');
    const script = `rm /_abaco/run/log /_abaco/run/results; ln -s ${secret} /_abaco/run/log; ln -s ${secret} /_abaco/run/results`;
    const { end, log, results } = await runToEnd(launcher, await specOf(launcher, bench, sh(script)));
    expect(end).toMatchObject({ kind: 'exited', exitCode: 0 });
    expect([log, results]).toEqual(['', []]);
  });

  it('is killed from outside and that is its end', async () => {
    const spec = await specOf(launcher, bench, ['sleep', '100']);
    const handle = await launcher.launch(spec, never);
    const end = followToEnd(launcher, handle);
    await docker.getContainer(handle.nativeId).kill();
    expect(await end).toMatchObject({ kind: expect.stringMatching(/^(exited|lost)$/) });
    await launcher.remove(spec);
  });

  it.runIf(canPrivilege)('of a privileged actor has the socket of the engine', async () => {
    const spec = await specOf(launcher, bench, sh('ls /var/run/docker.sock; cat /proc/self/status'), {
      privileged: true,
    });
    const { log } = await runToEnd(launcher, spec);
    expect(log).toMatch(/^\/var\/run\/docker.sock\n/);
    expect(log).not.toMatch(/CapEff:\s+0{16}\n/);
  });
});
