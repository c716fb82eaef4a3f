/** As whom a container runs on a real engine, and what it sees of the host. */

import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attemptKey } from '../../../src/launcher/attempt-key.ts';
import type { Launcher, Mount } from '../../../src/launcher/launcher.ts';
import { connectDocker } from '../../support/docker.ts';
import { never, runToEnd, specOf } from '../../support/docker-attempt.ts';
import {
  canRunDocker,
  type DockerBench,
  installations,
  makeDockerBench,
  removePreparedImages,
} from '../../support/docker-bench.ts';
import { followToEnd } from '../../support/follow-attempt.ts';
import { importTestImage } from '../../support/test-image.ts';

const canRun = await canRunDocker();
const docker = connectDocker();
const run = promisify(execFile);
/** Giving files away and mounting take root. */
const isRoot = process.getuid?.() === 0;

const alice = { user: '10001:20000', groups: [20_001, 20_002] };
const bob = { user: '10002:20000', groups: [20_001] };

describe.runIf(canRun)('a docker container', () => {
  let bench: DockerBench;
  let launcher: Launcher;
  const sh = (script: string) => ['sh', '-c', script];
  const bind = (hostPath: string, containerPath: string, mode: Mount['mode']): Mount => ({
    hostPath,
    containerPath,
    mode,
  });

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

  /** A directory of the host with this owner and mode. */
  async function directory(name: string, uid: number, gid: number, mode: number): Promise<string> {
    const path = join(bench.path, name);
    await mkdir(path);
    await chown(path, uid, gid);
    await chmod(path, mode);
    return path;
  }

  const log = async (script: string, changes: Parameters<typeof specOf>[3]) =>
    (await runToEnd(launcher, await specOf(launcher, bench, sh(script), changes))).log;

  it('is its user with all groups, and no other', async () => {
    expect(await log('id -u; id -g; id -G; umask', alice)).toBe('10001\n20000\n20000 20001 20002\n0022\n');
    expect(await log('id -G', { user: '10003:20000' })).toBe('20000\n');
  });

  it('is in no group that its image puts its user in', async () => {
    const image = 'abaco-test-groups:1';
    const files = { 'etc/passwd': 'jane:x:10001:0::/:/bin/sh\n', 'etc/group': 'wheel:x:10:jane\ndocker:x:20000:\n' };
    await importTestImage(image, '', files);
    try {
      const of = async (user: string) =>
        (await runToEnd(launcher, await specOf(launcher, { ...bench, image }, sh('id -G'), { user }))).log;
      expect(await of('10001:20000')).toBe('20000\n');
      // Why a user never goes without a group.
      expect(await of('10001')).toBe('0 10\n');
    } finally {
      await docker.getImage(image).remove({ force: true });
    }
  });

  it.runIf(isRoot)('writes as its user, to its own directory and to those of its groups', async () => {
    const home = await directory('alice', 10_001, 20_000, 0o700);
    const shared = await directory('astro', 0, 20_001, 0o2775);
    const mounts = [bind(home, '/home/alice', 'rw'), bind(shared, '/astro', 'rw')];
    expect(await log('echo own >/home/alice/own && echo ours >/astro/ours && echo done', { ...alice, mounts })).toBe(
      'done\n',
    );
    expect(await stat(join(home, 'own'))).toMatchObject({ uid: 10_001, gid: 20_000 });
    expect(await stat(join(shared, 'ours'))).toMatchObject({ uid: 10_001, gid: 20_001 });
    // Of a group it is not in, and of a user it is not, it gets nothing.
    const refused = 'cat /home/alice/own; echo x >/astro/x; echo end';
    const said = await log(refused, { user: '10003:20000', groups: [20_002], mounts });
    expect(said).toMatch(/Permission denied[^]*Permission denied[^]*end\n$/);
  });

  it.runIf(isRoot)('leaves nobody else to read its run directory', async () => {
    const spec = await specOf(launcher, bench, sh('sleep 60'), { ...alice, environment: { MSG: 'secret of alice' } });
    await launcher.launch(spec, never);
    const runs = join(bench.path, installations.first, 'run');
    const env = join(runs, attemptKey(spec), 'env');
    expect(await stat(env)).toMatchObject({ uid: 10_001, gid: 20_000 });
    expect((await stat(env)).mode & 0o777).toBe(0o600);
    expect((await stat(runs)).mode & 0o077).toBe(0);
    const asBob = run('setpriv', ['--reuid', '10002', '--regid', '20000', '--clear-groups', 'cat', env]);
    await expect(asBob).rejects.toThrow('Permission denied');
    // Nor by a mount of all that is above it.
    const mounts = [bind(bench.path, '/all', 'ro')];
    const said = await log(`cat /all/${installations.first}/run/${attemptKey(spec)}/env`, { ...bob, mounts });
    expect(said).toContain('Permission denied');
    expect(said).not.toContain('secret');
    await launcher.cancel(spec, 0);
    await launcher.remove(spec);
  });

  it('honours the mode of its mounts', async () => {
    await writeFile(join(bench.path, 'given'), 'from the host');
    const mounts = [bind(bench.path, '/data', 'ro')];
    expect(await log('cat /data/given; echo x > /data/new', { mounts })).toMatch(
      /^from the host.*Read-only file system/s,
    );
    expect(await readdir(bench.path)).not.toContain('new');
  });

  it.runIf(isRoot)('writes nothing to what is mounted below a read-only directory', async () => {
    const outer = await directory('outer', 0, 0, 0o777);
    const inner = await directory('outer/inner', 0, 0, 0o777);
    await run('mount', ['-t', 'tmpfs', '-o', 'mode=777', 'tmpfs', inner]);
    try {
      const script = 'touch /data/x; touch /data/inner/x; echo end';
      expect(await log(script, { mounts: [bind(outer, '/data', 'ro')] })).toMatch(
        /Read-only file system[^]*Read-only file system[^]*end\n$/,
      );
      expect(await readdir(inner)).toEqual([]);
      // And does where it may.
      expect(await log('touch /data/inner/x && echo end', { mounts: [bind(outer, '/data', 'rw')] })).toBe('end\n');
      expect(await readdir(inner)).toEqual(['x']);
    } finally {
      await run('umount', [inner]);
    }
  });

  it.each([
    ['blanks and line ends', 'a b\nc\td'],
    ['commas, colons and quotes', `a,b:c"d'e=f`],
    ['what a shell would take for more', '$(reboot)`x`\\;&|*?'],
    ['carriage returns', 'a\r\nb'],
  ])('finds directories and files with %s in their names', async (_what, name) => {
    const path = join(bench.path, name);
    await mkdir(path);
    await writeFile(join(path, name), 'found');
    const script = 'for file in "$WHERE"/*; do cat "$file"; done; printf written >"$WHERE/$NAME.new"';
    const environment = { WHERE: `/data/${name}`, NAME: name };
    expect(await log(script, { mounts: [bind(path, `/data/${name}`, 'rw')], environment })).toBe('found');
    expect(await readFile(join(path, `${name}.new`), 'utf8')).toBe('written');
  });

  it('is refused when a directory to mount is not there, and none is made', async () => {
    const missing = join(bench.path, 'missing');
    const spec = await specOf(launcher, bench, sh('exit 0'), { mounts: [bind(missing, '/data', 'ro')] });
    await expect(launcher.launch(spec, never)).rejects.toMatchObject({
      code: 'mount.missing',
      retryable: false,
      message: expect.stringContaining(`directory "${missing}", which is to be mounted, is not there`),
    });
    await expect(stat(missing)).rejects.toMatchObject({ code: 'ENOENT' });
    await launcher.remove(spec);
  });

  it('has a directory of a file server as a volume that goes with it', async () => {
    const nfs = { server: '127.0.0.1', options: 'nfsvers=4.2,soft,timeo=1,retrans=1' };
    const mounts = [{ ...bind('/export/a,b c', '/work', 'ro'), nfs }];
    const spec = await specOf(launcher, bench, sh('exit 0'), { mounts });
    const ours = async () => {
      const filters = { label: [`org.abaco.execution=${spec.executionId}`] };
      return (await docker.listVolumes({ filters })).Volumes;
    };
    // No server answers here; how the engine was asked to mount is what there is to see.
    await expect(launcher.launch(spec, never)).rejects.toThrow('failed to mount local volume');
    expect(await ours()).toEqual([
      expect.objectContaining({
        Driver: 'local',
        Options: { type: 'nfs', device: ':/export/a,b c', o: 'addr=127.0.0.1,ro,nfsvers=4.2,soft,timeo=1,retrans=1' },
        Labels: expect.objectContaining({
          'org.abaco.installation': installations.first,
          'org.abaco.attempt': '1',
        }),
      }),
    ]);
    await launcher.remove(spec);
    expect(await ours()).toEqual([]);
  });

  it('of somebody who has no directory there yet runs once it has been made', async () => {
    const late = join(bench.path, 'late');
    const spec = await specOf(launcher, bench, sh('echo here'), { mounts: [bind(late, '/data', 'ro')] });
    await expect(launcher.launch(spec, never)).rejects.toMatchObject({ code: 'mount.missing' });
    await mkdir(late);
    const handle = await launcher.launch(spec, never);
    expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'exited', exitCode: 0 });
    await launcher.remove(spec);
  });
});
