/** How a program is started in Apptainer: one `apptainer exec` whose first process is our helper. Pure. */

import { InvalidError } from '../../src/errors.ts';
import { binaryMessageFile, inside, startArguments } from '../../src/launcher/helper-arguments.ts';
import type { LaunchSpec, Mount } from '../../src/launcher/launcher.ts';
import { withReadOnlyTrees } from './read-only-trees.ts';

export interface ApptainerPaths {
  /** The image, on the file system of the cluster. */
  readonly sif: string;
  readonly runDir: string;
  readonly ledgerEntry: string;
  /** Holds `abaco-start` and `result`. */
  readonly nativeDir: string;
}

/** Where there is more than the plain case. */
export interface ApptainerExtras {
  /** Name or path of the program; `apptainer` where nothing is said. */
  readonly program?: string;
  /** Whose devices the program sees. */
  readonly gpus?: 'nvidia' | 'amd';
  /** Whether Apptainer keeps the program within its limits, by the cgroups of the host. */
  readonly limits?: boolean;
}

/**
 * The whole line as words, but for what follows `--label`, which only the job itself knows: `before`, the label, `after`.
 *
 * The container sees nothing of the host but what is bound: no home, a /tmp of its own in the run directory, which is
 * also where the program starts. Of the host's environment it sees nothing either; its own comes from the file `env`,
 * which the helper reads inside.
 */
export function planApptainer(
  spec: LaunchSpec,
  paths: ApptainerPaths,
  extras: ApptainerExtras = {},
): { readonly before: readonly string[]; readonly after: readonly string[] } {
  const options = [
    extras.program ?? 'apptainer',
    '--silent',
    'exec',
    '--cleanenv',
    '--containall',
    '--no-home',
    '--no-mount',
    'home,cwd,bind-paths',
    '--workdir',
    `${paths.runDir}/scratch`,
    '--pwd',
    '/tmp',
    ...(extras.gpus === undefined ? [] : [gpuFlags[extras.gpus]]),
    ...(extras.limits === true ? limitFlags(spec) : []),
    ...[...ownMounts(spec, paths), ...spec.mounts].flatMap((mount) => ['--mount', renderMount(mount)]),
  ];
  const words = [...options, paths.sif, `${inside.bin}/abaco-start`, ...startArguments(spec), '--label'];
  return {
    before: withReadOnlyTrees(words, options.length, spec.mounts),
    after: ['--', ...spec.image.argv],
  };
}

/** Of `apptainer exec`. */
export const gpuFlags = { nvidia: '--nv', amd: '--rocm' } as const;

/** What Apptainer puts into a cgroup; swap is none beside it, so that the limit is one. */
function limitFlags({ limits }: LaunchSpec): readonly string[] {
  const { memoryBytes, nanoCpus, pids } = limits;
  const memory = memoryBytes === undefined ? undefined : String(memoryBytes);
  const wanted = {
    '--memory': memory,
    '--memory-swap': memory,
    '--cpus': nanoCpus === undefined ? undefined : (nanoCpus / 1e9).toFixed(2),
    '--pids-limit': pids === undefined ? undefined : String(pids),
  };
  return Object.entries(wanted).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
}

export function ownMounts(spec: LaunchSpec, paths: ApptainerPaths): readonly Mount[] {
  const bind = (hostPath: string, containerPath: string, mode: Mount['mode']): Mount => ({
    hostPath,
    containerPath,
    mode,
  });
  return [
    bind(paths.runDir, inside.run, 'rw'),
    bind(paths.ledgerEntry, inside.ledger, 'rw'),
    bind(paths.nativeDir, inside.bin, 'ro'),
    ...(spec.binaryMessage ? [bind(`${paths.runDir}/${binaryMessageFile}`, inside.binaryMessage, 'ro')] : []),
  ];
}

/**
 * As comma-separated values, which unlike `--bind` can name any path (apptainer-exec(1), --mount), but for one with a
 * carriage return: their reader drops it before a line end.
 *
 * @throws InvalidError
 */
export function renderMount({ hostPath, containerPath, mode, nfs }: Mount): string {
  const fields = ['type=bind', `source=${hostPath}`, `destination=${containerPath}`, ...(mode === 'ro' ? ['ro'] : [])];
  const why = nfs
    ? 'Apptainer mounts nothing from a file server'
    : fields.some((field) => field.includes('\r'))
      ? 'Apptainer takes no path with a carriage return'
      : undefined;
  if (why !== undefined) {
    throw new InvalidError('mount.invalid', `Mount at ${JSON.stringify(containerPath)} is impossible: ${why}`);
  }
  return fields.map((field) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}
