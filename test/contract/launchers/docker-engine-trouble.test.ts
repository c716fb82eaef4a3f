import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LaunchEvent, Launcher } from '../../../src/launcher/launcher.ts';
import { connectDocker } from '../../support/docker.ts';
import { never, runToEnd, specOf } from '../../support/docker-attempt.ts';
import {
  canRunDocker,
  type DockerBench,
  installations,
  makeDockerBench,
  removePreparedImages,
} from '../../support/docker-bench.ts';
import { type EngineLink, linkEngine } from '../../support/engine-link.ts';
import { endIn, followToEnd } from '../../support/follow-attempt.ts';
import { until } from '../../support/until.ts';

const canRun = await canRunDocker();

describe.runIf(canRun)('the docker launcher and an engine in trouble', () => {
  let bench: DockerBench;
  let link: EngineLink;
  let launcher: Launcher;

  beforeEach(async () => {
    bench = await makeDockerBench();
    link = await linkEngine(bench.path);
    launcher = await bench.open({ options: { socket: link.socket } });
  });
  afterEach(async () => {
    const left = await bench.leftovers();
    await launcher.close();
    await link[Symbol.asyncDispose]();
    await bench[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });
  afterAll(removePreparedImages);

  const unavailable = { code: 'launcher.unavailable', retryable: true };

  it('says which engine does not answer, and that it may pass', async () => {
    const spec = await specOf(launcher, bench, ['sh', '-c', 'exit 3']);
    await link.cut();
    const health = await launcher.probe(never);
    expect(health.ok).toBe(false);
    expect(health.detail).toMatch(`"${link.socket}" does not answer`);
    await expect(launcher.launch(spec, never)).rejects.toMatchObject(unavailable);
    await expect(launcher.prepare({ name: 'debian:other' }, never)).rejects.toMatchObject(unavailable);
    await expect(launcher.remove(spec)).rejects.toMatchObject(unavailable);
    await expect(launcher.sweep(async (found) => found, never)).rejects.toMatchObject(unavailable);
    await link.restore();
    expect((await runToEnd(launcher, spec)).end).toMatchObject({ kind: 'exited', exitCode: 3 });
  });

  it('does not wait for ever for an engine that says nothing', async () => {
    const hasty = await bench.open({ options: { socket: link.socket, answer_timeout: 1_000 } });
    link.stall();
    await expect(hasty.launch(await specOf(await bench.open(), bench, ['sh']), never)).rejects.toMatchObject(
      unavailable,
    );
    await link.restore();
    await hasty.sweep(async (found) => found, never);
    await hasty.close();
  });

  it('goes on watching when the engine comes back, and takes no silence for an end', async () => {
    const ref = { executionId: 'watched', attempt: 1 };
    const { argv, mounts } = bench.describe({ holds: true, exitCode: 6 }, ref);
    const spec = await specOf(launcher, bench, argv, { ...ref, mounts });
    const handle = await launcher.launch(spec, never);
    const events: LaunchEvent[] = [];
    const watching = (async () => {
      for await (const event of launcher.watch(handle, AbortSignal.timeout(30_000))) events.push(event);
    })();
    await until(() => events.length > 0, { what: 'the running event', timeoutMs: 20_000 });
    await link.cut();
    await bench.release(ref);
    const container = connectDocker().getContainer(handle.nativeId);
    await until(async () => !(await container.inspect()).State.Running, { what: 'its end', timeoutMs: 20_000 });
    expect(events).toMatchObject([{ kind: 'running' }]);
    await link.restore();
    await watching;
    expect(endIn(events)).toMatchObject({ kind: 'exited', exitCode: 6 });
    await launcher.remove(ref);
  });

  it('finds again what a launch without an answer had started', async () => {
    const spec = await specOf(launcher, bench, ['sh', '-c', 'exit 8']);
    const cutting = await bench.open({
      options: { socket: link.socket },
      checkpoint: async (point) => {
        if (point === 'after-create') await link.cut();
      },
    });
    await expect(cutting.launch(spec, never)).rejects.toMatchObject(unavailable);
    await link.restore();
    expect(await followToEnd(launcher, await launcher.launch(spec, never))).toMatchObject({
      kind: 'exited',
      exitCode: 8,
    });
    await launcher.remove(spec);
    await cutting.close();
  });

  it('says when the helper is not there', async () => {
    const broken = await bench.open({ context: { nativeDir: bench.path } });
    const health = await broken.probe(never);
    expect(health.checks).toContainEqual(expect.objectContaining({ name: 'helper', ok: false }));
    const spec = await specOf(broken, bench, ['sh']);
    await expect(broken.launch(spec, never)).rejects.toMatchObject({ code: 'launcher.rejected' });
    await broken.remove(spec);
    await broken.close();
  });

  it('says when the engine does not see its directories', async () => {
    const broken = await bench.open({ context: { nativeDir: '/nowhere/native' } });
    const { checks } = await broken.probe(never);
    expect(checks).toContainEqual(
      expect.objectContaining({ name: 'paths', ok: false, detail: expect.stringMatching('where we do') }),
    );
    await broken.close();
  });

  it('leaves nothing behind when it is asked how it is', async () => {
    await launcher.probe(never);
    const label = [`org.abaco.prepared-for=${installations.first}`];
    expect(await connectDocker().listContainers({ all: true, filters: { label } })).toEqual([]);
    // Of other installations there may be some just now: their tests ask the same engine how it is.
    const images = await connectDocker().listImages({ filters: { label } });
    expect(images.flatMap((image) => image.RepoTags ?? []).filter((tag) => tag.startsWith('abaco-probe'))).toEqual([]);
  });

  it('refuses a name that somebody else has taken', async () => {
    const spec = await specOf(launcher, bench, ['sh']);
    const name = `abaco-${installations.first}-${spec.executionId}-1`;
    const foreign = await connectDocker().createContainer({ name, Image: bench.image });
    await expect(launcher.launch(spec, never)).rejects.toMatchObject({ code: 'launcher.rejected' });
    await launcher.remove(spec);
    expect(await foreign.inspect()).toMatchObject({ Name: `/${name}` });
    await foreign.remove({ force: true });
  });
});
