/** What a registry says is believed as far as it can be checked: of images that several tenants share, by a play build. */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBuildTurns } from '../../../launchers/apptainer/build-turns.ts';
import { createEngineImages } from '../../../launchers/apptainer/engine-images.ts';
import { createSifStore, type SifStore } from '../../../launchers/apptainer/sif-store.ts';
import { createLocalHost } from '../../../launchers/host/local-host.ts';
import type { RegistryAccess } from '../../../src/launcher/launcher.ts';
import { renderSif } from '../../support/render-sif.ts';
import { silentLog } from '../../support/silent-log.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { startWebhookServer, type WebhookServer } from '../../support/webhook-server.ts';

const signal = new AbortController().signal;
const plain: RegistryAccess = { username: '', password: '', insecure: true };
const theirs = ['/bin/sh', '-c', 'their program'];
const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

const config = (argv: readonly string[]): string => JSON.stringify({ config: { Entrypoint: argv } });
const manifestOf = (configText: string, layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'): string =>
  JSON.stringify({
    config: { digest: digestOf(configText) },
    layers: [{ digest: digestOf('layer'), mediaType: layerType }],
  });
const indexOf = (digest: string): string =>
  JSON.stringify({ manifests: [{ digest, platform: { os: 'linux', architecture: 'amd64' } }] });

const evil = config(['/bin/sh', '-c', 'steal']);
/** Of an image that everybody knows. */
const honest = manifestOf(config(theirs));

type Gate = PromiseWithResolvers<void>;
type Answers = Readonly<Record<string, string | RequestListener>>;

describe('a registry', () => {
  let files: TestDirectory;
  let images: string;
  const servers: WebhookServer[] = [];
  /** What was built, by the last part of its source. */
  const built: string[] = [];
  /** What the build from a registry does, by its address, in place of building. */
  const plays = new Map<string, (work: string) => Promise<number>>();

  beforeEach(async () => {
    files = await makeTestDirectory('registry-trust');
    images = join(files.path, 'cache', 'images');
    built.length = 0;
    plays.clear();
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) await server[Symbol.asyncDispose]();
    await files[Symbol.asyncDispose]();
  });

  /** Answers what stands under the path behind "/v2/x/", and 404 for all else. */
  async function registry(answers: Answers): Promise<WebhookServer> {
    const server = await startWebhookServer((request, response) => {
      const answer = answers[(request.url ?? '').replace('/v2/x/', '')];
      if (typeof answer === 'function') answer(request, response);
      else if (answer === undefined) response.writeHead(404).end();
      else response.end(answer);
    });
    servers.push(server);
    return server;
  }

  function openStore(named: Readonly<Record<string, RegistryAccess>>, architecture = 'amd64'): SifStore {
    const host = createLocalHost({ scratchRoots: [files.path] });
    return createSifStore({
      host,
      directory: images,
      mode: 0o711,
      installationId: 'test',
      architecture,
      program: 'apptainer',
      engine: createEngineImages(''),
      turns: createBuildTurns(2),
      accessOf: (_, asked) => named[asked],
      run: async (script) => {
        const work = script.replace(/\/[^/]*$/, '');
        const definition = await readFile(join(work, 'definition'), 'utf8');
        built.push(/From: .*?([^/\n]*)$/m.exec(definition)?.[1] ?? '');
        const play = plays.get(/From: ([^/\n]*)/.exec(definition)?.[1] ?? '');
        if (play) return await play(work);
        await writeFile(join(work, 'image.sif'), renderSif({ 'oci-config.json': { Entrypoint: theirs } }));
        return 0;
      },
      log: silentLog,
    });
  }

  const storeOf = ({ port }: WebhookServer): SifStore => openStore({ [`127.0.0.1:${port}`]: plain });
  const nameOf = ({ port }: WebhookServer, reference = ''): string => `127.0.0.1:${port}/x${reference}`;

  describe('says which image is meant, and', () => {
    it('is refused where it answers a digest with another manifest', async () => {
      const digest = digestOf(honest);
      const forged = manifestOf(evil);
      const server = await registry({
        [`manifests/${digest}`]: forged,
        [`blobs/${digestOf(evil)}`]: evil,
        'manifests/index': indexOf(digest),
      });
      for (const reference of [`@${digest}`, ':index']) {
        const asked = storeOf(server).prepare({ name: nameOf(server, reference) }, signal);
        await expect(asked, reference).rejects.toMatchObject({
          code: 'image.not_found',
          message: expect.stringMatching(/answers with another manifest than that of the digest/),
        });
      }
      expect(built).toEqual([]);
    });

    it('names it by what it sends, not by what it says of that', async () => {
      const server = await registry({
        'manifests/1': (_, response) => {
          response.setHeader('docker-content-digest', '../../mallory/x').end(honest);
        },
        [`blobs/${digestOf(config(theirs))}`]: config(theirs),
      });
      const { digest } = await storeOf(server).prepare({ name: nameOf(server, ':1') }, signal);
      expect(digest).toBe(digestOf(honest));
      expect(built).toEqual([`x@${digest}`]);
      expect(await readdir(files.path)).toEqual(['cache']);
      expect(await readdir(join(files.path, 'cache'))).toEqual(['images']);
    });

    it('is not asked what an image runs: that is read from what was built', async () => {
      const digest = digestOf(honest);
      const answers = { [`manifests/${digest}`]: honest, [`blobs/${digestOf(config(theirs))}`]: evil };
      const server = await registry(answers);
      const name = nameOf(server, `@${digest}`);
      expect(await storeOf(server).prepare({ name }, signal)).toEqual({ name, digest, argv: theirs });
      const record = join(images, `${digest.replace(':', '-')}.json`);
      const said = JSON.parse(await readFile(record, 'utf8')) as object;
      await writeFile(record, JSON.stringify({ ...said, argv: ['/bin/sh', '-c', 'steal'] }));
      expect(await storeOf(server).prepare({ name, digest }, signal)).toEqual({ name, digest, argv: theirs });
      expect(built).toHaveLength(1);
    });

    it('cannot have a SIF taken for layers, or layers for a SIF', async () => {
      const sif = manifestOf('{}', 'application/vnd.sylabs.sif.layer.v1.sif');
      const server = await registry({
        'manifests/sif': sif,
        'manifests/layers': honest,
        [`blobs/${digestOf('{}')}`]: '{}',
      });
      const store = storeOf(server);
      await expect(store.prepare({ name: nameOf(server, ':sif') }, signal)).rejects.toMatchObject({
        code: 'image.not_found',
        message: expect.stringContaining('"oras://"'),
      });
      await expect(store.prepare({ name: `oras://${nameOf(server, ':layers')}` }, signal)).rejects.toMatchObject({
        code: 'image.not_found',
      });
    });

    it.each(['../../x', 'sha256:../../x', `sha512:${'0'.repeat(128)}`, `sha256:${'0'.repeat(63)}`])(
      'never has a file named after %s',
      (digest) => expect(() => openStore({}).pathOf(digest)).toThrow(/SHA-256/),
    );
  });

  describe('that serves the manifest of another', () => {
    const mallory = { tenant: 'MALLORY' };
    const victim = { tenant: 'VICTIM' };

    async function bothServe() {
      const [bad, good] = [await registry({ 'manifests/1': honest }), await registry({ 'manifests/1': honest })];
      const open = () => openStore({ [`127.0.0.1:${bad.port}`]: plain, [`127.0.0.1:${good.port}`]: plain });
      return { bad, good, open };
    }

    it.each([false, true])(
      'holds up nobody who asks that one, in another process: %s',
      async (inAnother) => {
        const { bad, good, open } = await bothServe();
        const store = open();
        const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<number>()];
        plays.set(`127.0.0.1:${bad.port}`, async (work) => {
          begun.resolve();
          await writeFile(join(work, 'image.sif'), renderSif({ 'oci-config.json': { Entrypoint: theirs }, late: 1 }));
          return await end.promise;
        });
        const held = store.prepare({ name: nameOf(bad, ':1'), ...mallory }, signal);
        await begun.promise;
        const told: string[] = [];
        const asked = (inAnother ? open() : store).prepare(
          { name: nameOf(good, ':1'), ...victim },
          signal,
          (text) => void told.push(text),
        );
        expect(await asked).toMatchObject({ digest: digestOf(honest), argv: theirs });
        expect(told.join('\n')).not.toContain(String(bad.port));
        const file = join(images, `${digestOf(honest).replace(':', '-')}.sif`);
        const first = await readFile(file);
        end.resolve(0);
        expect(await held).toMatchObject({ digest: digestOf(honest), argv: theirs });
        expect(await readFile(file)).toEqual(first);
        expect((await readdir(images)).filter((name) => /lock|beat|building/.test(name))).toEqual([]);
      },
      20_000,
    );

    it('fails for those alone who asked it, and who wait for it are told the same', async () => {
      const { bad, good, open } = await bothServe();
      const [begun, end, later] = [0, 1, 2].map(() => Promise.withResolvers<void>()) as [Gate, Gate, Gate];
      plays.set(`127.0.0.1:${bad.port}`, async (work) => {
        begun.resolve();
        await end.promise;
        await writeFile(join(work, 'build.log'), 'FATAL: the words of Mallory');
        return 255;
      });
      plays.set(`127.0.0.1:${good.port}`, async (work) => {
        await later.promise;
        await writeFile(join(work, 'image.sif'), renderSif({ 'oci-config.json': { Entrypoint: theirs } }));
        return 0;
      });
      const image = { name: nameOf(bad, ':1'), ...mallory };
      const failing = [open().prepare(image, signal)];
      await begun.promise;
      failing.push(open().prepare(image, signal));
      const asked = open().prepare({ name: nameOf(good, ':1'), ...victim }, signal);
      // Long enough for all to wait for what there is to wait for.
      await setTimeout(1_000);
      const checked = failing.map(
        async (one) =>
          await expect(one).rejects.toMatchObject({
            code: 'image.invalid',
            message: expect.stringContaining('the words of Mallory'),
          }),
      );
      end.resolve();
      await Promise.all(checked);
      later.resolve();
      expect(await asked).toMatchObject({ digest: digestOf(honest) });
      expect(built).toHaveLength(2);
    }, 20_000);
  });

  describe('that has many images', () => {
    it('has two built at once, and one for a tenant; who waits says so', async () => {
      const manifests = Array.from({ length: 12 }, (_, index) => manifestOf(config([String(index)])));
      const server = await registry(
        Object.fromEntries(manifests.map((manifest, index) => [`manifests/${index}`, manifest])),
      );
      let [now, most] = [0, 0];
      plays.set(`127.0.0.1:${server.port}`, async (work) => {
        now += 1;
        most = Math.max(most, now);
        await setTimeout(50);
        await writeFile(join(work, 'image.sif'), renderSif({ 'oci-config.json': { Entrypoint: theirs } }));
        now -= 1;
        return 0;
      });
      const store = storeOf(server);
      const told: string[] = [];
      const ask = async (index: number, tenant: string) =>
        await store.prepare({ name: nameOf(server, `:${index}`), tenant }, signal, (text) => void told.push(text));
      const one = await Promise.all([0, 1, 2, 3].map(async (index) => await ask(index, 'A')));
      expect([one.length, most]).toEqual([4, 1]);
      expect(told).toContain(`Image "${nameOf(server, ':3')}" waits: other images are being built for this cluster`);
      await Promise.all([4, 5, 6, 7, 8, 9, 10, 11].map(async (index) => await ask(index, `T${index}`)));
      expect([built.length, most]).toEqual([12, 2]);
    }, 60_000);
  });

  describe('answers in a form that', () => {
    it.each([
      ['is no JSON', 'secret of an inner server'],
      ['is no manifest', '{"secret":1,"manifests":[null]}'],
      ['is too long', `"${'secret'.repeat(1_000_000)}"`],
    ])('is not repeated where it %s', async (_, answer) => {
      const server = await registry({ 'manifests/1': answer });
      const thrown = await storeOf(server)
        .prepare({ name: nameOf(server, ':1') }, signal)
        .then(
          () => undefined,
          (error: Error) => error,
        );
      expect(thrown).toMatchObject({ code: 'image.registry_unavailable' });
      expect(thrown?.message).not.toContain('secret');
    });
  });

  describe('is called at', () => {
    it('no address that is not public, unless the configuration names it', async () => {
      const server = await registry({});
      for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
        const asked = openStore({}).prepare({ name: `${host}:${server.port}/x:1` }, signal);
        await expect(asked, host).rejects.toThrow(/not public|no address/);
      }
      const asked = openStore({}).prepare({ name: `127.0.0.1:${server.port}/x:1` }, signal);
      await expect(asked).rejects.toMatchObject({
        code: 'image.forbidden',
        message: expect.stringContaining(`[registries."127.0.0.1:${server.port}"]`),
      });
      expect(server.received).toEqual([]);
    });

    it('no such address that it leads to', async () => {
      const inner = await registry({});
      const server = await registry({
        'manifests/moved': (_, response) => {
          response.writeHead(307, { location: `http://127.0.0.2:${inner.port}/latest/meta-data` }).end();
        },
        'manifests/locked': (_, response) => {
          const realm = `http://127.0.0.2:${inner.port}/token`;
          response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="x"` }).end();
        },
      });
      for (const tag of ['moved', 'locked']) {
        const asked = storeOf(server).prepare({ name: nameOf(server, `:${tag}`) }, signal);
        await expect(asked, tag).rejects.toMatchObject({ code: 'image.forbidden' });
      }
      expect(inner.received).toEqual([]);
    });

    it('its other places, with a token for it alone', async () => {
      const seen: (string | undefined)[] = [];
      const mirror = await registry({
        'manifests/1': (request, response) => {
          seen.push(request.headers.authorization);
          response.end(honest);
        },
        'token?service=s&scope=repository%3Ax%3Apull': (request, response) => {
          seen.push(request.headers.authorization);
          response.end('{"token":"t"}');
        },
      });
      const server = await registry({
        'manifests/1': (request, response) => {
          seen.push(request.headers.authorization);
          const realm = `http://127.0.0.1:${mirror.port}/v2/x/token`;
          if (request.headers.authorization === 'Bearer t') {
            response.writeHead(307, { location: `http://127.0.0.1:${mirror.port}/v2/x/manifests/1` }).end();
          } else response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="s"` }).end();
        },
        [`blobs/${digestOf(config(theirs))}`]: config(theirs),
      });
      const access = { username: 'u', password: 'p', insecure: true };
      const store = openStore({ [`127.0.0.1:${server.port}`]: access });
      expect((await store.prepare({ name: nameOf(server, ':1') }, signal)).digest).toBe(digestOf(honest));
      expect(seen).toEqual([undefined, `Basic ${Buffer.from('u:p').toString('base64')}`, 'Bearer t', undefined]);
    });
  });
});
