import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Launcher, LauncherContext, PreparedImage } from '../../../src/launcher/launcher.ts';
import { connectDocker } from '../../support/docker.ts';
import { never, runToEnd, specOf } from '../../support/docker-attempt.ts';
import { canRunDocker, type DockerBench, makeDockerBench, removePreparedImages } from '../../support/docker-bench.ts';
import { freePort } from '../../support/free-port.ts';
import { programAvailable } from '../../support/program.ts';
import { registryAccount, startRegistry, type TestRegistry } from '../../support/registry-server.ts';
import { requireService } from '../../support/services.ts';
import { importTestImage } from '../../support/test-image.ts';

const canRun = (await canRunDocker()) && requireService('registry', await programAvailable('docker-registry'));

const docker = connectDocker();

async function push(name: string, content: string): Promise<void> {
  await importTestImage(name, content);
  const authconfig = { ...registryAccount, serveraddress: name.split('/')[0] as string };
  const answer = await docker.getImage(name).push({ authconfig });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => (error ? reject(error) : resolve()));
  });
  await forget(name);
}

/** As if it had never been here. */
async function forget(name: string): Promise<void> {
  const image = await docker
    .getImage(name)
    .inspect()
    .catch(() => undefined);
  for (const tag of [...(image?.RepoTags ?? []), ...(image?.RepoDigests ?? [])]) {
    await docker
      .getImage(tag)
      .remove({ force: true })
      .catch(() => undefined);
  }
}

/** Also those whose tag has moved on. */
async function forgetAllOf(registries: readonly TestRegistry[]): Promise<void> {
  await removePreparedImages();
  for (const image of await docker.listImages()) {
    const isTheirs = image.RepoDigests?.some((digest) => registries.some(({ address }) => digest.startsWith(address)));
    if (isTheirs) await docker.getImage(image.Id).remove({ force: true });
  }
}

describe.runIf(canRun)('images of the docker launcher', () => {
  let registry: TestRegistry;
  let guarded: TestRegistry;
  let bench: DockerBench;
  let launcher: Launcher;
  let name: string;
  const used: string[] = [];

  beforeAll(async () => {
    [registry, guarded] = await Promise.all([startRegistry(), startRegistry({ auth: true })]);
  });
  afterAll(async () => {
    await forgetAllOf([registry, guarded]);
    await Promise.all([registry, guarded].map((server) => server[Symbol.asyncDispose]()));
  });
  beforeEach(async () => {
    bench = await makeDockerBench();
    launcher = await bench.open();
    name = newName(registry);
  });
  afterEach(async () => {
    for (const image of used.splice(0)) await forget(image);
    await launcher.close();
    await bench[Symbol.asyncDispose]();
  });

  function newName(from: TestRegistry, tag = 'v1'): string {
    const made = `${from.address}/lab/${randomUUID().slice(0, 8)}:${tag}`;
    used.push(made);
    return made;
  }

  async function contentOf(image: PreparedImage): Promise<string> {
    return (await runToEnd(launcher, { ...(await specOf(launcher, bench, [])), image })).log;
  }

  it('are pulled, pinned to the digest of the registry, and run with their own command', async () => {
    await push(name, 'first');
    const image = await launcher.prepare({ name }, never);
    const { RepoDigests } = await docker.getImage(name).inspect();
    expect(RepoDigests).toEqual([`${name.replace(/:v1$/, '')}@${image.digest}`]);
    expect(image.argv).toEqual(['/bin/sh', '-c', 'cat /content']);
    expect(await contentOf(image)).toBe('first');
  });

  it('keep their pinned digest when the tag moves', async () => {
    await push(name, 'first');
    const pinned = await launcher.prepare({ name }, never);
    await forget(name);
    await push(name, 'second');
    const fresh = await launcher.prepare({ name }, never);
    expect(fresh.digest).not.toBe(pinned.digest);
    expect(await contentOf(fresh)).toBe('second');
    expect(await contentOf(await launcher.prepare({ name, digest: pinned.digest }, never))).toBe('first');
  });

  it('are looked for again in their registry only where the policy says so', async () => {
    await push(name, 'first');
    const always = await bench.open({ options: { pull: 'always' } });
    const first = await launcher.prepare({ name }, never);
    await importTestImage(name, 'only here');
    expect((await launcher.prepare({ name }, never)).digest).not.toBe(first.digest);
    expect((await always.prepare({ name }, never)).digest).toBe(first.digest);
    await always.close();
  });

  it('are never pulled where the policy says so', async () => {
    await push(name, 'first');
    const local = await bench.open({ options: { pull: 'never' } });
    await expect(local.prepare({ name }, never)).rejects.toMatchObject({ code: 'image.not_found' });
    await local.close();
  });

  it('that come from nowhere are pinned to their id, also when their tag moves', async () => {
    const local = `abaco-test-local:${randomUUID().slice(0, 8)}`;
    used.push(local);
    await importTestImage(local, 'first');
    const pinned = await launcher.prepare({ name: local }, never);
    expect(pinned.digest).toBe((await docker.getImage(local).inspect()).Id);
    await importTestImage(local, 'second');
    expect(await contentOf(await launcher.prepare({ name: local, digest: pinned.digest }, never))).toBe('first');
  });

  it('are fetched again when they vanish between preparing and launching', async () => {
    await push(name, 'first');
    const image = await launcher.prepare({ name }, never);
    await forget(name);
    await removePreparedImages();
    expect(await contentOf(image)).toBe('first');
  });

  it('are prepared once for callers at the same time', async () => {
    await push(name, 'first');
    const asked = await Promise.all(Array.from({ length: 5 }, () => launcher.prepare({ name }, never)));
    expect(new Set(asked.map((image) => image.digest)).size).toBe(1);
  });

  it('are waited for no longer than the caller wants', async () => {
    await expect(launcher.prepare({ name }, AbortSignal.abort(new Error('left')))).rejects.toThrow('left');
  });

  it.each<[string, () => string]>([
    ['tag', () => `${name.replace(/:v1$/, '')}:other`],
    ['name', () => `${registry.address}/lab/nowhere:v1`],
    ['digest', () => `${name.replace(/:v1$/, '')}@sha256:${'0'.repeat(64)}`],
  ])('whose %s the registry does not have are not found', async (_what, missing) => {
    await push(name, 'first');
    await expect(launcher.prepare({ name: missing() }, never)).rejects.toMatchObject({
      code: 'image.not_found',
      retryable: false,
    });
  });

  it('of a registry that does not answer may come later', async () => {
    const silent = `127.0.0.1:${await freePort()}/lab/thing:v1`;
    const asked = launcher.prepare({ name: silent }, never);
    await expect(asked).rejects.toMatchObject({ code: 'image.registry_unavailable', retryable: true });
  });

  describe('of a registry that asks who is there', () => {
    const access = (password: string): LauncherContext['registries'] => ({
      [guarded.address]: { username: registryAccount.username, password, insecure: true },
    });

    beforeEach(async () => {
      name = newName(guarded);
      await push(name, 'for members');
    });

    it('come with the right credentials', async () => {
      const member = await bench.open({ context: { registries: access(registryAccount.password) } });
      expect(await contentOf(await member.prepare({ name }, never))).toBe('for members');
      await member.close();
    });

    it.each<[string, () => LauncherContext['registries']]>([
      ['without credentials', () => ({})],
      ['with wrong ones', () => access('wrong-password')],
    ])('are refused %s, whose text stays secret', async (_how, registries) => {
      const stranger = await bench.open({ context: { registries: registries() } });
      const refused = await stranger.prepare({ name }, never).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'image.denied', retryable: false });
      expect(String(refused)).not.toContain('wrong-password');
      await stranger.close();
    });
  });
});
