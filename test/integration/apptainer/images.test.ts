/** Images of a cluster, from all the places they may come from, by real builds behind a real login node. */

import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apptainerKind } from '../../../launchers/apptainer/apptainer-launcher.ts';
import { slurmKind } from '../../../launchers/slurm/slurm-launcher.ts';
import type { Launcher, LauncherContext } from '../../../src/launcher/launcher.ts';
import { apptainerDefaults } from '../../support/apptainer-bench.ts';
import { openBuildStore } from '../../support/build-store.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { nativeHelper } from '../../support/docker.ts';
import { type NetworkRegistry, startNetworkRegistry } from '../../support/network-registry.ts';
import { packageRoot } from '../../support/package-root.ts';
import { registryAccount } from '../../support/registry-server.ts';
import { requireService } from '../../support/services.ts';
import { silentLog } from '../../support/silent-log.ts';
import { aliceUser, slurmOptions } from '../../support/slurm-bench.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { importTestImage } from '../../support/test-image.ts';
import { until } from '../../support/until.ts';

const canRun = requireService('compose', await canRunCluster());
const signal = new AbortController().signal;
const directory = '/lustre/abaco';
const scratch = `${directory}/scratch`;
const alice = { owner: 'alice', user: aliceUser };
const asAbaco = 'setpriv --reuid abaco --regid abaco --init-groups env HOME=/tmp';

describe.runIf(canRun)('images of a cluster', () => {
  let cluster: Cluster;
  let registry: NetworkRegistry;
  let files: TestDirectory;
  const open: Launcher[] = [];
  const built: object[] = [];
  const log = {
    ...silentLog,
    info: (details: object, text: string) => void (text === 'image built' && built.push(details)),
  };
  let count = 0;

  beforeAll(async () => {
    cluster = await startCluster();
    registry = await startNetworkRegistry(cluster);
    files = await makeTestDirectory('images');
  }, 600_000);

  afterAll(async () => {
    await registry?.[Symbol.asyncDispose]();
    await files?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  }, 120_000);

  beforeEach(async () => {
    built.length = 0;
    count += 1;
    await cluster.exec('login', `rm -rf ${directory}/images ${scratch} && install -d -o abaco ${scratch}`);
  });

  afterEach(async () => {
    for (const opened of open.splice(0)) await opened.close();
    await cluster.exec('login', `rm -rf ${directory}/images ${scratch} /lustre/alice/.abaco/images-*`);
  });

  const context = (): LauncherContext => {
    const plain = { username: '', password: '', insecure: true };
    return {
      installationId: `images-${process.pid}`,
      dataDir: files.path,
      nativeDir: dirname(nativeHelper),
      registries: { [cluster.registry]: plain, [registry.address]: plain, '127.0.0.1:9': plain },
      tenantRegistries: { RICH: { [registry.address]: { ...registryAccount, insecure: true } } },
      log,
      checkpoint: async () => undefined,
    };
  };

  const host = () => ({ ...cluster.options, directory });

  async function launcher(): Promise<Launcher> {
    const options = { ...apptainerDefaults, ...host(), engine: '/var/run/docker.sock' };
    const made = await apptainerKind.create('node', options, context());
    open.push(made);
    return made;
  }

  /** An image of this test alone, in the registry of the cluster. */
  async function pushed(content: string): Promise<string> {
    const name = `abaco-test-images:${content}-${process.pid}-${count}`;
    await importTestImage(name, content);
    return await cluster.push(name);
  }

  const sifs = async (at = directory): Promise<readonly string[]> =>
    (await cluster.exec('login', `cd ${at}/images && ls | grep 'sif$' || true`)).split('\n').filter(Boolean);

  it('are built once, whoever asks and however many', async () => {
    const name = await pushed('once');
    const [one, other] = [await launcher(), await launcher()];
    const asked = Array.from(
      { length: 200 },
      async (_, index) => await (index % 2 ? one : other).prepare({ name }, signal),
    );
    const prepared = await Promise.all(asked);
    expect(new Set(prepared.map(({ digest }) => digest)).size).toBe(1);
    expect(built).toHaveLength(1);
    expect(await sifs()).toHaveLength(1);
    expect(await cluster.exec('login', `ls ${directory}/images`)).not.toMatch(/building|lock|beat/);
  }, 300_000);

  it('say while they are built since when, and what the build says', async () => {
    const name = await pushed('progress');
    const told: string[] = [];
    await (await launcher()).prepare({ name }, signal, (text) => void told.push(text));
    expect(told[0]).toMatch(/^Image ".*progress.*" is being built for this cluster since 20\d\d-/);
    expect(await cluster.exec('login', `cat ${directory}/images/*.log`)).toMatch(/Build complete/);
  }, 300_000);

  it('are built by another when their builder is killed', async () => {
    const name = await pushed('killed');
    const options = { ...apptainerDefaults, ...host(), login_timeout: 30_000 };
    const images = `${directory}/images`;
    const argument = JSON.stringify({ options, directory: images, registry: cluster.registry, image: name });
    const builder = spawn(process.execPath, [join(packageRoot, 'test/support/build-image.ts'), argument]);
    let said = '';
    builder.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(() => said.includes('is being built'), { timeoutMs: 60_000, everyMs: 20, what: 'the builder' });
    builder.kill('SIGKILL');
    await until(() => builder.signalCode !== null, { what: 'its end' });
    expect(await cluster.exec('login', `ls ${images}`)).toMatch(/\.lock/);
    // Also killed while it said that it lives.
    await cluster.exec('login', `for lock in ${images}/*.lock; do touch "\${lock%.lock}.beat.0123456789ab"; done`);
    const second = openBuildStore({ options, directory: images, registry: cluster.registry, deadAfterMs: 5_000 });
    const { digest } = await second.store.prepare({ name }, signal);
    expect(digest).toMatch(/^sha256:/);
    await second.close();
    expect(await cluster.exec('login', `ls ${images}`)).not.toMatch(/building|lock|beat/);
  }, 300_000);

  it('are built again when the file is not what was built', async () => {
    const name = await pushed('corrupt');
    const node = await launcher();
    const { digest } = await node.prepare({ name }, signal);
    const sif = `${directory}/images/${digest.replace(':', '-')}.sif`;
    const changes = [`echo x >>${sif}`, `rm ${sif}`, `rm -r ${directory}/images`];
    for (const [index, change] of changes.entries()) {
      for (const asked of [node, await launcher()]) {
        built.length = 0;
        await cluster.exec('login', change);
        expect((await asked.prepare({ name, digest }, signal)).digest).toBe(digest);
        expect(built, `${index}`).toHaveLength(1);
        await asked.prepare({ name, digest }, signal);
        expect(built).toHaveLength(1);
      }
    }
  }, 300_000);

  it('are for those only whose credentials resolve them, also when they are there', async () => {
    const name = `${registry.address}/private:1`;
    const base = await pushed('private');
    const auth = Buffer.from(`${registryAccount.username}:${registryAccount.password}`).toString('base64');
    const account = JSON.stringify({ auths: { [registry.address]: { auth } } });
    const pull = `apptainer --silent pull --no-https x.sif docker://${base}`;
    const push = `apptainer --silent push --no-https --authfile account.json x.sif oras://${name}`;
    const copy = `cd ${scratch} && echo '${account}' >account.json && ${asAbaco} ${pull} && ${asAbaco} ${push}`;
    await cluster.exec('login', copy);
    const image = { name: `oras://${name}` };
    const mine = await launcher();
    const { digest } = await mine.prepare({ ...image, tenant: 'RICH' }, signal);
    expect(built).toHaveLength(1);
    const poor = mine.prepare({ ...image, tenant: 'POOR' }, signal);
    await expect(poor).rejects.toMatchObject({
      code: 'image.denied',
      message: expect.stringContaining(`[tenants.POOR.registries."${registry.address}"]`),
    });
    await expect(mine.prepare({ ...image, digest, tenant: 'POOR' }, signal)).rejects.toMatchObject({
      code: 'image.denied',
    });
    expect(await mine.prepare({ ...image, digest, tenant: 'RICH' }, signal)).toMatchObject({ digest });
  }, 300_000);

  it('are nobody to list, or to name by their path, as nothing asks for credentials there', async () => {
    const name = await pushed('hidden');
    const images = `${directory}/images`;
    await cluster.exec('login', `install -d -o abaco -m 755 ${images}`);
    const node = await launcher();
    const { digest } = await node.prepare({ name }, signal);
    expect(await cluster.exec('login', `stat -c %a ${images}`)).toBe('711\n');
    const sif = `${images}/${digest.replace(':', '-')}.sif`;
    const link = '/lustre/alice/link.sif';
    await cluster.exec('login', `ln -sfn ${sif} ${link} && ln -sfn ${images} /lustre/alice/link`);
    for (const path of [sif, link, link.replace('.sif', sif.slice(images.length))]) {
      await expect(node.prepare({ name: path, ...alice }, signal), path).rejects.toMatchObject({
        code: 'image.invalid',
        message: expect.stringContaining('it lies in the image cache of the service'),
      });
    }
    await cluster.exec('login', `rm ${link} /lustre/alice/link`);
  }, 300_000);

  it('may be a SIF on the file system, read by its owner and pinned by its own SHA-256', async () => {
    const base = await pushed('file');
    const path = '/lustre/alice/a file.sif';
    await cluster.exec(
      'login',
      `cd ${scratch} && ${asAbaco} apptainer --silent pull --no-https x.sif docker://${base} && install -o alice -m 600 x.sif '${path}'`,
    );
    const sum = (await cluster.exec('login', `sha256sum '${path}'`)).slice(0, 64);
    const node = await launcher();
    const image = { name: path, ...alice };
    const prepared = await node.prepare(image, signal);
    expect(prepared).toEqual({ name: path, digest: `sha256:${sum}`, argv: ['/bin/sh', '-c', 'cat /content'] });
    const own = `/lustre/alice/.abaco/images-${process.pid}`;
    expect(await sifs(own)).toEqual([`sha256-${sum}.sif`]);
    expect(await cluster.exec('login', `stat -c %a ${own}/images`)).toBe('700\n');
    const bob = { owner: 'bob', user: '10002:20000' };
    await expect(node.prepare({ ...image, ...bob }, signal)).rejects.toMatchObject({ code: 'image.not_found' });
    const namesake = node.prepare({ ...image, user: '7001:7001' }, signal);
    await expect(namesake).rejects.toMatchObject({ code: 'identity.other' });
    await cluster.exec('login', `head -c 41000 ${scratch}/x.sif >'${path}'`);
    expect(await node.prepare({ ...image, digest: prepared.digest }, signal)).toEqual(prepared);
    const broken = node.prepare(image, signal);
    await expect(broken).rejects.toMatchObject({
      code: 'image.invalid',
      message: expect.stringMatching(/could not be built for this cluster: .*FATAL/),
    });
    await cluster.exec('login', `rm '${path}'`);
  }, 300_000);

  it('may be on the engine beside the service alone', async () => {
    const name = `abaco-test-images:engine-${process.pid}-${count}`;
    await importTestImage(name, 'engine');
    const prepared = await (await launcher()).prepare({ name: `docker-daemon:${name}` }, signal);
    expect(prepared.argv).toEqual(['/bin/sh', '-c', 'cat /content']);
    const said = await cluster.exec(
      'login',
      `${asAbaco} apptainer --silent exec ${directory}/images/*.sif cat /content`,
    );
    expect(said).toBe('engine');
  }, 300_000);

  it('are listed, and pruned when they are old and nobody needs them', async () => {
    const [old, fresh] = [await pushed('old'), await pushed('fresh')];
    const node = await launcher();
    const [{ digest }, kept] = [
      await node.prepare({ name: old, tenant: 'A' }, signal),
      await node.prepare({ name: fresh }, signal),
    ];
    const uses = `${directory}/images/${digest.replace(':', '-')}.uses`;
    await cluster.exec('login', `sed -i -E 's/"usedAt":"20[0-9]{2}/"usedAt":"2020/' ${uses}/*`);
    const listed = await node.images?.list();
    expect(listed?.map((image) => image.digest).toSorted()).toEqual([digest, kept.digest].toSorted());
    expect(listed?.find((image) => image.digest === digest)).toMatchObject({ name: old, tenants: ['A'] });
    const request = { olderThanMs: 86_400_000, dryRun: false, now: new Date() };
    expect(await node.images?.prune({ ...request, isNeeded: (asked) => asked === digest })).toEqual([]);
    const pruned = await node.images?.prune({ ...request, isNeeded: () => false });
    expect(pruned?.map((image) => image.digest)).toEqual([digest]);
    expect(await sifs()).toEqual([`${kept.digest.replace(':', '-')}.sif`]);
  }, 300_000);

  it('wait for a registry that does not answer', async () => {
    const away = (await launcher()).prepare({ name: '127.0.0.1:9/x:1' }, signal);
    await expect(away).rejects.toMatchObject({ code: 'image.registry_unavailable', retryable: true });
  });

  it('are built as a job where the site wants that', async () => {
    const name = await pushed('job');
    const options = { ...slurmOptions(cluster), ...host(), build_on: 'job' as const };
    const slurm = await slurmKind.create('hpc', options, context());
    open.push(slurm);
    expect(await slurm.prepare({ name }, signal)).toMatchObject({ name });
    expect(await sifs()).toHaveLength(1);
    expect(await cluster.exec('login', `cat ${directory}/images/*.log`)).toMatch(/building on c[12]/);
  }, 300_000);
});
