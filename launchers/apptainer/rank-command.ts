/** How one of several tasks of a program is started in Apptainer, once somebody else has decided the start. Pure. */

import { inside } from '../../src/launcher/helper-arguments.ts';
import type { LaunchSpec } from '../../src/launcher/launcher.ts';
import { type ApptainerExtras, type ApptainerPaths, gpuFlags, ownMounts, renderMount } from './apptainer-command.ts';
import { withReadOnlyTrees } from './read-only-trees.ts';

/**
 * Unlike a program that runs alone it shares what the tasks of a node talk through with the others: their processes and
 * their shared memory. And it finds what the scheduler tells each task by its environment (its rank, how MPI connects),
 * which holds nothing of the user's, under its own from the file `env`.
 */
export function planRank(
  spec: LaunchSpec,
  paths: ApptainerPaths,
  { gpus }: Pick<ApptainerExtras, 'gpus'>,
): readonly string[] {
  const sharedMemory = { hostPath: '/dev/shm', containerPath: '/dev/shm', mode: 'rw' } as const;
  const options = [
    'apptainer',
    '--silent',
    'exec',
    ...(gpus === undefined ? [] : [gpuFlags[gpus]]),
    '--contain',
    '--no-home',
    '--no-mount',
    'home,cwd,bind-paths',
    '--workdir',
    `${paths.runDir}/scratch`,
    '--pwd',
    '/tmp',
    ...[...ownMounts(spec, paths), sharedMemory, ...spec.mounts].flatMap((mount) => ['--mount', renderMount(mount)]),
  ];
  const start = [`${inside.bin}/abaco-start`, 'rank', '--run', inside.run];
  const words = [...options, paths.sif, ...start, '--result-limit', String(spec.limits.resultBytes), '--'];
  return withReadOnlyTrees([...words, ...spec.image.argv], options.length, spec.mounts);
}
