import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dockerKind } from '../../launchers/docker/docker-launcher.ts';
import type { DockerOptions } from '../../launchers/docker/docker-options.ts';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef, Launcher, LauncherContext } from '../../src/launcher/launcher.ts';
import { connectDocker, dockerAvailable, nativeAvailable, nativeHelper } from './docker.ts';
import type { LauncherBench, OpenOptions, TestProgram } from './launcher-contract.ts';
import { requireService } from './services.ts';
import { silentLog } from './silent-log.ts';
import { makeTestDirectory } from './test-directory.ts';
import { ensureTestImage, testImage, testImageAvailable } from './test-image.ts';

/** Whether tests of the docker launcher can run here; what is missing is said. */
export async function canRunDocker(): Promise<boolean> {
  const has = [
    requireService('docker', await dockerAvailable()),
    requireService('native', await nativeAvailable()),
    requireService('busybox', await testImageAvailable()),
  ];
  return has.every(Boolean);
}

/** One pair for all benches of a process, so that the test image is prepared once. */
const run = randomUUID().slice(0, 8);
export const installations = { first: `test-${run}-a`, second: `test-${run}-b` } as const;

export const dockerOptions: DockerOptions = {
  socket: '/var/run/docker.sock',
  pull: 'missing',
  network: 'bridge',
  answer_timeout: 60_000,
};

export interface DockerBench extends LauncherBench {
  readonly path: string;
  open(
    options?: OpenOptions & { readonly options?: Partial<DockerOptions>; readonly context?: Partial<LauncherContext> },
  ): Promise<Launcher>;
}

/** A fresh data directory on the engine of this machine. */
export async function makeDockerBench(): Promise<DockerBench> {
  await ensureTestImage();
  const docker = connectDocker();
  const directory = await makeTestDirectory('docker-launcher');
  const counts = join(directory.path, 'counts');
  await mkdir(counts);
  await chmod(counts, 0o777);

  const containers = async () => {
    const label = Object.values(installations).map((id) =>
      docker.listContainers({ all: true, filters: { label: [`org.abaco.installation=${id}`] } }),
    );
    return (await Promise.all(label)).flat();
  };

  async function leftovers(): Promise<readonly string[]> {
    const runs = await Promise.all(
      Object.values(installations).map((id) => readdir(join(directory.path, id, 'run')).catch(() => [])),
    );
    return [...(await containers()).flatMap((container) => container.Names), ...runs.flat()];
  }

  return {
    path: directory.path,
    image: testImage,
    open({ installation = 'first', checkpoint = async () => {}, options, context } = {}) {
      const installationId = installations[installation];
      const dataDir = join(directory.path, installationId);
      const nativeDir = dirname(nativeHelper);
      const own = { installationId, dataDir, nativeDir, registries: {}, log: silentLog, checkpoint };
      return dockerKind.create('local', { ...dockerOptions, ...options }, { ...own, ...context });
    },
    describe: (program, ref) => ({
      argv: argvOf(program, ref),
      environment: {},
      mounts: [{ hostPath: counts, containerPath: '/counts', mode: 'rw' }],
    }),
    async starts(ref) {
      const text = await readFile(join(counts, attemptKey(ref)), 'utf8').catch(() => '');
      return text.split('\n').length - 1;
    },
    release: (ref) => writeFile(join(counts, `${attemptKey(ref)}.go`), ''),
    async vanish(ref) {
      await docker.getContainer(`abaco-${installations.first}-${attemptKey(ref)}`).remove({ force: true });
    },
    leftovers,
    async [Symbol.asyncDispose]() {
      await Promise.all((await containers()).map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Removes what benches of this process had prepared; for `afterAll`. */
export async function removePreparedImages(): Promise<void> {
  const docker = connectDocker();
  for (const id of Object.values(installations)) {
    const images = await docker.listImages({ filters: { label: [`org.abaco.prepared-for=${id}`] } });
    await Promise.all(images.map((image) => docker.getImage(image.Id).remove({ force: true })));
  }
}

export function argvOf(program: TestProgram, ref: AttemptRef): readonly string[] {
  if (program.isMissing) return ['/no/such/program'];
  // No shell: it would drop a variable whose name it cannot write.
  if (program.showsVariable !== undefined)
    return ['awk', 'BEGIN { print ENVIRON[ARGV[1]]; exit }', program.showsVariable];
  if (program.showsBinaryMessage) return ['cat', '/_abaco_binary_data'];
  return ['sh', '-c', scriptOf(program, attemptKey(ref))];
}

function scriptOf(program: TestProgram, key: string): string {
  return [
    ...(program.ignoresTerm ? [`trap '' TERM`] : []),
    `echo started >> /counts/${key}`,
    ...(program.log ?? []).map((line, index) => `echo ${quote(line)}${index % 2 === 0 ? '' : ' >&2'}`),
    ...(program.results ?? []).map((result) => `printf %s ${quote(result)} | /_abaco/bin/result`),
    ...(program.holds ? [`until [ -e /counts/${key}.go ]; do usleep 5000; done`] : []),
    `exit ${program.exitCode ?? 0}`,
  ].join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
