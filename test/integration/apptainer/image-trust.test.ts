/** What Apptainer builds, and who sees what it is built with: against a registry that lies, and with keys of users. */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apptainerKind } from '../../../launchers/apptainer/apptainer-launcher.ts';
import type { ApptainerOptions } from '../../../launchers/apptainer/apptainer-options.ts';
import { createCluster } from '../../../launchers/host/cluster.ts';
import type { Launcher } from '../../../src/launcher/launcher.ts';
import { apptainerDefaults } from '../../support/apptainer-bench.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { nativeHelper } from '../../support/docker.ts';
import { type LyingRegistry, startLyingRegistry } from '../../support/lying-registry.ts';
import { type NetworkRegistry, startNetworkRegistry } from '../../support/network-registry.ts';
import { registryAccount } from '../../support/registry-server.ts';
import { requireService } from '../../support/services.ts';
import { silentLog } from '../../support/silent-log.ts';
import { slurmOptions } from '../../support/slurm-bench.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { importTestImage } from '../../support/test-image.ts';

const canRun = requireService('compose', await canRunCluster());
const signal = new AbortController().signal;
const directory = '/lustre/abaco';
const scratch = `${directory}/scratch`;
const asAbaco = 'setpriv --reuid abaco --regid abaco --init-groups env HOME=/tmp';
const command = ['/bin/sh', '-c', 'cat /content'];

interface Manifest {
  readonly digest: string;
  readonly config: string;
  readonly layer: string;
}

describe.runIf(canRun)('an image that was built', () => {
  let cluster: Cluster;
  let account: NetworkRegistry;
  let liar: LyingRegistry;
  let files: TestDirectory;
  /** Images of the cluster's registry, without it. */
  const names: string[] = [];
  const open: Launcher[] = [];

  beforeAll(async () => {
    cluster = await startCluster();
    account = await startNetworkRegistry(cluster);
    liar = await startLyingRegistry(cluster);
    files = await makeTestDirectory('image-trust');
    await cluster.exec('login', `rm -rf ${scratch} && install -d -o abaco ${scratch}`);
    for (const content of ['true', 'false']) {
      const name = `abaco-test-trust:${content}`;
      await importTestImage(name, content);
      await cluster.push(name);
      names.push(name);
    }
  }, 600_000);

  afterEach(async () => {
    for (const opened of open.splice(0)) await opened.close();
    await cluster.exec('login', `rm -rf ${directory}/images /lustre/alice/.abaco/trust-*`);
  });

  afterAll(async () => {
    await liar?.[Symbol.asyncDispose]();
    await account?.[Symbol.asyncDispose]();
    await files?.[Symbol.asyncDispose]();
    await cluster?.exec('login', `rm -rf ${scratch}`);
    await cluster?.[Symbol.asyncDispose]();
  }, 120_000);

  async function launcher(more: Partial<ApptainerOptions> = {}): Promise<Launcher> {
    const plain = { username: '', password: '', insecure: true };
    const made = await apptainerKind.create(
      'node',
      { ...apptainerDefaults, ...cluster.options, directory, ...more },
      {
        installationId: `trust-${process.pid}`,
        dataDir: files.path,
        nativeDir: dirname(nativeHelper),
        registries: { [cluster.registry]: plain, [liar.address]: plain },
        tenantRegistries: { RICH: { [account.address]: { ...registryAccount, insecure: true } } },
        log: silentLog,
        checkpoint: async () => undefined,
      },
    );
    open.push(made);
    return made;
  }

  async function manifestOf(name: string): Promise<Manifest> {
    const [repository = '', tag = ''] = name.split(':');
    const accept = 'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
    const url = `http://${cluster.registry}/v2/${repository}/manifests/${tag}`;
    const answer = await fetch(url, { headers: { accept } });
    const { config, layers } = (await answer.json()) as {
      readonly config: { readonly digest: string };
      readonly layers: readonly { readonly digest: string }[];
    };
    const digest = answer.headers.get('docker-content-digest') ?? '';
    return { digest, config: config.digest, layer: layers[0]?.digest ?? '' };
  }

  const sifs = async (): Promise<string> => await cluster.exec('login', `ls ${directory}/images | grep 'sif$' || true`);

  /** A SIF of an image, in a registry that keeps such. */
  async function pushSif(name: string, to: string, flags = ''): Promise<void> {
    const pull = `apptainer --silent pull --no-https --force x.sif docker://${cluster.registry}/${name}`;
    const push = `apptainer --silent push --no-https ${flags} x.sif oras://${to}`;
    await cluster.exec('login', `cd ${scratch} && ${asAbaco} ${pull} && ${asAbaco} ${push}`);
  }

  it('is of its digest, whatever a registry gives to who builds it', async () => {
    const [name = '', other = ''] = names;
    const [truth, lie] = [await manifestOf(name), await manifestOf(other)];
    const node = await launcher();
    for (const [what, kind] of [
      ['digest', 'manifests'],
      ['config', 'blobs'],
      ['layer', 'blobs'],
    ] as const) {
      const path = `abaco-test-trust/${kind}`;
      liar.lie({ [`${path}/${truth[what]}`]: `${path}/${lie[what]}` });
      const asked = node.prepare({ name: `${liar.address}/${name}` }, signal);
      await expect(asked, what).rejects.toMatchObject({ code: 'image.invalid' });
      expect(liar.told, what).not.toEqual([]);
      expect(await sifs(), what).toBe('');
    }
    liar.lie({});
    const prepared = await node.prepare({ name: `${liar.address}/${name}` }, signal);
    expect(prepared).toMatchObject({ digest: truth.digest, argv: command });
  }, 300_000);

  it('is so too where it was a SIF', async () => {
    for (const [index, name] of names.entries()) await pushSif(name, `${cluster.registry}/sif:${index}`);
    const [truth, lie] = [await manifestOf('sif:0'), await manifestOf('sif:1')];
    const node = await launcher();
    for (const [what, kind] of [
      ['digest', 'manifests'],
      ['layer', 'blobs'],
    ] as const) {
      liar.lie({ [`sif/${kind}/${truth[what]}`]: `sif/${kind}/${lie[what]}` });
      const asked = node.prepare({ name: `oras://${liar.address}/sif:0` }, signal);
      await expect(asked, what).rejects.toMatchObject({ code: 'image.invalid' });
      expect(liar.told, what).not.toEqual([]);
      expect(await sifs(), what).toBe('');
    }
    liar.lie({});
    const prepared = await node.prepare({ name: `oras://${liar.address}/sif:0` }, signal);
    expect(prepared).toMatchObject({ digest: truth.digest, argv: command });
  }, 300_000);

  it('runs what the label of its SIF says where that was made of no image', async () => {
    const path = '/lustre/alice/labelled.sif';
    const label = JSON.stringify({ 'org.abaco.command': '["/bin/cat","/content"]' });
    const build = `${asAbaco} apptainer --silent build --no-https --sandbox box docker://${cluster.registry}/${names[0]}`;
    const pack = `${asAbaco} apptainer --silent build --force plain.sif box`;
    await cluster.exec(
      'login',
      `cd ${scratch} && ${build} && echo '${label}' >box/.singularity.d/labels.json && ${pack} && install -o alice plain.sif ${path}`,
    );
    const prepared = await (await launcher()).prepare({ name: path, owner: 'alice', user: '10001:20000' }, signal);
    expect(prepared.argv).toEqual(['/bin/cat', '/content']);
    await cluster.exec('login', `rm ${path}`);
  }, 300_000);

  it('was built where no user sees the account of its registry, also with keys of users', async () => {
    const auth = Buffer.from(`${registryAccount.username}:${registryAccount.password}`).toString('base64');
    const accounts = JSON.stringify({ auths: { [account.address]: { auth } } });
    await cluster.exec('login', `echo '${accounts}' >${scratch}/account.json`);
    const name = `${account.address}/private:1`;
    await pushSif(names[0] ?? '', name, '--authfile account.json');
    const secret = join(files.path, 'secret');
    await writeFile(secret, randomBytes(32), { mode: 0o600 });
    const keyed = { become: false, keys_dir: join(files.path, 'keys'), keys_secret_file: secret };
    const tools = createCluster('node', { ...slurmOptions(cluster), ...keyed }, files.path);
    await tools.addKey('alice', await cluster.exec('login', 'cat /keys/alice'));
    const node = await launcher(keyed);
    const prepared = await node.prepare({ name: `oras://${name}`, tenant: 'RICH', owner: 'alice' }, signal);
    expect(await sifs()).toBe(`${prepared.digest.replace(':', '-')}.sif\n`);
    expect(await cluster.exec('login', 'find /lustre/alice/.abaco -name "sha256-*" 2>/dev/null || true')).toBe('');
    const sif = `${directory}/images/${prepared.digest.replace(':', '-')}.sif`;
    const asAlice = asAbaco.replaceAll('abaco', 'alice').replace('--regid alice', '--regid $(id -g alice)');
    expect(await cluster.exec('login', `${asAlice} apptainer --silent exec ${sif} cat /content`)).toBe('true');
  }, 300_000);
});
