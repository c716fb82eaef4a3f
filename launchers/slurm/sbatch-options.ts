/** What a job asks Slurm for, from what its actor asks for, the limits of a container, and the settings of the cluster. */

import type { LaunchSpec } from '../../src/launcher/launcher.ts';
import { type Resources, tasksOf } from '../../src/launcher/resources.ts';
import { optional } from '../../src/lib/optional.ts';
import type { SlurmOptions } from './slurm-options.ts';

export interface JobPlan {
  /** As `#SBATCH` lines. */
  readonly options: Readonly<Record<string, string>>;
  readonly tasks: number;
  readonly cpusPerTask: number;
  readonly hasGpus: boolean;
  /** When the program is told to end, ahead of Slurm. */
  readonly timeMs: number;
}

type Settings = Pick<SlurmOptions, 'partition' | 'account' | 'qos' | 'walltime' | 'margin'>;

/** What runs beside a program: Apptainer and the helper. */
const besideMegabytes = 64;

export function planJob(
  { resources = {}, limits }: Pick<LaunchSpec, 'resources' | 'limits'>,
  settings: Settings,
): JobPlan {
  const { gpusPerNode = 0, gpuType, walltimeMs = settings.walltime } = resources;
  const tasks = tasksOf(resources);
  const cpusPerTask = resources.cpusPerTask ?? cpusOf(limits.nanoCpus);
  const wanted = {
    nodes: resources.nodes,
    ntasks: tasks > 1 ? tasks : undefined,
    'cpus-per-task': cpusPerTask,
    ...memoryOf(resources.memoryBytesPerNode, limits.memoryBytes, { tasks, cpusPerTask }),
    gres: gpusPerNode === 0 ? undefined : ['gpu', ...(gpuType === undefined ? [] : [gpuType]), gpusPerNode].join(':'),
    // Whole minutes are all that Slurm knows.
    time: Math.ceil(walltimeMs / 60_000),
    ...placeOf(settings),
    ...placeOf(resources),
    constraint: resources.constraint,
    reservation: resources.reservation,
  };
  const given = Object.entries(wanted).filter(([, value]) => value !== undefined && value !== '');
  return {
    options: Object.fromEntries(given.map(([name, value]) => [name, String(value)])),
    tasks,
    cpusPerTask,
    hasGpus: gpusPerNode > 0,
    timeMs: Math.min(limits.timeMs ?? Number.POSITIVE_INFINITY, timeBefore(walltimeMs, settings.margin)),
  };
}

/** Where in Slurm, as far as somebody says. */
export function placeOf({
  partition,
  account,
  qos,
}: Pick<Resources, 'partition' | 'account' | 'qos'>): Pick<Resources, 'partition' | 'account' | 'qos'> {
  return {
    ...optional('partition', partition || undefined),
    ...optional('account', account || undefined),
    ...optional('qos', qos || undefined),
  };
}

/** The least share of a processor a job can have is one. */
function cpusOf(nanoCpus: number | undefined): number {
  return nanoCpus === undefined ? 1 : Math.max(1, Math.ceil(nanoCpus / 1e9));
}

/** What was asked for is asked for; the limit of a container is each task's, with a little for what runs beside it. */
function memoryOf(
  asked: number | undefined,
  limit: number | undefined,
  { tasks, cpusPerTask }: Pick<JobPlan, 'tasks' | 'cpusPerTask'>,
): { readonly mem?: string; readonly 'mem-per-cpu'?: string } {
  if (asked !== undefined) return { mem: `${Math.ceil(asked / 1_048_576)}M` };
  const each = limit === undefined ? undefined : Math.ceil(limit / 1_048_576) + besideMegabytes;
  if (each === undefined) return {};
  return tasks === 1 ? { mem: `${each}M` } : optional('mem-per-cpu', `${Math.ceil(each / cpusPerTask)}M`);
}

/** Of a walltime no longer than the margin, half. */
function timeBefore(walltimeMs: number, marginMs: number): number {
  return walltimeMs > marginMs ? Math.max(1_000, walltimeMs - marginMs) : Math.ceil(walltimeMs / 2);
}
