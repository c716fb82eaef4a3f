import { join } from 'node:path';
import Docker from 'dockerode';
import { packageRoot } from './package-root.ts';
import { isExecutable } from './program.ts';

/** The image every test may count on; the set-up pulls or makes it. */
export const baseImage = 'debian:trixie-slim';

/** The native helper, which every container starts with. */
export const nativeHelper = join(packageRoot, 'native', 'build', 'abaco-start');

/** The engine of this machine, found as Docker's own command line finds it. */
export function connectDocker(): Docker {
  return new Docker();
}

/** Whether a container engine answers. */
export async function dockerAvailable(): Promise<boolean> {
  const answer = connectDocker().ping();
  return await answer.then(
    () => true,
    () => false,
  );
}

/** What an installation made on the engine: its containers, and the images it prepared. */
export async function madeOnEngine(installationId: string): Promise<readonly string[]> {
  const docker = connectDocker();
  const of = (label: string) => ({ filters: { label: [`org.abaco.${label}=${installationId}`] } });
  const [containers, images] = await Promise.all([
    docker.listContainers({ all: true, ...of('installation') }),
    docker.listImages(of('prepared-for')),
  ]);
  return [...containers.flatMap(({ Names }) => Names), ...images.flatMap(({ Id, RepoTags }) => RepoTags ?? [Id])];
}

/** Whether the native helper has been built. */
export async function nativeAvailable(): Promise<boolean> {
  return await isExecutable(nativeHelper);
}
