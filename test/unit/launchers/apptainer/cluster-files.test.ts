/** Whose cache an image is in. */

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createClusterFiles } from '../../../../launchers/apptainer/cluster-files.ts';
import { createImageUses } from '../../../../launchers/apptainer/image-uses.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { QuotaError } from '../../../../src/errors.ts';
import { renderSif } from '../../../support/render-sif.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const signal = new AbortController().signal;
const argv = ['/bin/sh', '-c', 'true'];
const sif = renderSif({ 'oci-config.json': { Entrypoint: argv } });
const name = 'registry.example.org/x';
const digest = `sha256:${'0'.repeat(64)}`;

async function start(isShared: boolean) {
  const directory = await makeTestDirectory('cluster-files');
  const host = createLocalHost({ scratchRoots: [directory.path] });
  await writeFile(join(directory.path, 'abaco-start'), 'the helper');
  const at = (place: string): string => join(directory.path, place);
  const files = createClusterFiles({
    places: {
      service: host,
      directory: at('service'),
      asOwner: true,
      of: () => host,
      workOf: (owner) => at(`work-${owner}`),
      letGo: async () => undefined,
    },
    owners: { list: async () => [] },
    isShared,
    architecture: 'amd64',
    program: 'apptainer',
    engine: '',
    builds: 1,
    nativeDir: directory.path,
    registries: {},
    installationId: 'here',
    log: silentLog,
  });

  /** An image that this tenant has resolved a moment ago. */
  async function putImage(place: string): Promise<void> {
    const base = `${at(place)}/images/${digest.replace(':', '-')}`;
    await host.makeDirectory(`${at(place)}/images`, 0o755);
    await writeFile(`${base}.sif`, sif);
    const sha256 = createHash('sha256').update(sif).digest('hex');
    await writeFile(`${base}.json`, JSON.stringify({ digest, name, sha256, bytes: sif.length, builtAt: '' }));
    const uses = createImageUses({ host, baseOf: () => base, installation: 'here', log: silentLog });
    await uses.note(digest, { name }, true);
  }
  return { directory, files, at, putImage, host };
}

describe('an image of a registry', () => {
  it('is in the cache of its user alone, where an account runs nothing but its own actors', async () => {
    const { directory, files, at, putImage } = await start(false);
    await using _ = directory;
    await putImage('work-alice');
    const user = String(userInfo().uid);
    const prepared = await files.prepare({ name, digest, owner: 'alice', user }, signal);
    expect(prepared).toEqual({ name, digest, argv });
    const file = `images/${digest.replace(':', '-')}.sif`;
    expect(files.pathOf('alice', prepared)).toBe(join(at('work-alice'), file));
    expect(files.pathOf('bob', prepared)).toBe(join(at('work-bob'), file));
    expect(await files.nativeDirectory('alice')).toMatch(new RegExp(`^${at('work-alice')}/native-`));
    // Nor is it read for a namesake.
    const namesake = files.prepare({ name, digest, owner: 'alice', user: '1' }, signal);
    await expect(namesake).rejects.toMatchObject({ code: 'identity.other' });
  });

  it('waits for room, which an operator makes where it is that of all', async () => {
    for (const [isShared, refusal] of [
      [true, { code: 'launcher.unavailable', next: expect.stringContaining('an operator makes room') }],
      [false, { code: 'host.disk_full' }],
    ] as const) {
      const { directory, files, host } = await start(isShared);
      await using _ = directory;
      host.makeDirectory = async () => {
        throw new QuotaError('host.disk_full', 'The disk is full');
      };
      const asked = files.prepare({ name, digest, owner: 'alice', user: String(userInfo().uid) }, signal);
      await expect(asked).rejects.toMatchObject({ ...refusal, retryable: true });
    }
  });

  it('is in the one of all, where users read what the service keeps', async () => {
    const { directory, files, at, putImage } = await start(true);
    await using _ = directory;
    await putImage('service');
    const prepared = await files.prepare({ name, digest, owner: 'alice' }, signal);
    expect(prepared).toEqual({ name, digest, argv });
    expect(files.pathOf('alice', prepared)).toBe(files.pathOf('bob', prepared));
    expect(await files.nativeDirectory('alice')).toMatch(new RegExp(`^${at('service')}/native-`));
  });
});
