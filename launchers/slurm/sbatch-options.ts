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

interface JobRequest {
  readonly resources: Resources;
  readonly limits: Pick<LaunchSpec['limits'], 'memoryBytes' | 'nanoCpus'>;
}

type Settings = Pick<SlurmOptions, 'partition' | 'account' | 'qos' | 'walltime' | 'margin'>;

const mebibyte = 1_048_576;

/** What runs beside a program: Apptainer and the helper. */
const besideMegabytes = 64;

export function planJob(
  { resources = {}, limits }: Pick<LaunchSpec, 'resources' | 'limits'>,
  settings: Settings,
): JobPlan {
  const { gpusPerNode = 0, gpuType } = resources;
  const tasks = tasksOf(resources);
  const filled = fillJob({ resources, limits }, settings);
  const { cpusPerTask, walltimeMs } = filled;
  const wanted = {
    nodes: resources.nodes,
    ntasks: tasks > 1 ? tasks : undefined,
    'cpus-per-task': cpusPerTask,
    ...memoryOf(resources.memoryBytesPerNode, limits.memoryBytes, { tasks, cpusPerTask }),
    gres: gpusPerNode === 0 ? undefined : ['gpu', ...(gpuType === undefined ? [] : [gpuType]), gpusPerNode].join(':'),
    // Whole minutes are all that Slurm knows.
    time: Math.ceil(walltimeMs / 60_000),
    ...placeOf(filled),
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

/** What its actor asks for, with what the limits of a container and the settings of the cluster make of the rest. */
export function fillJob(
  { resources, limits }: JobRequest,
  settings: Settings,
): Resources & { readonly cpusPerTask: number; readonly walltimeMs: number } {
  const memory = memoryOfTask(limits.memoryBytes);
  return {
    cpusPerTask: cpusOf(limits.nanoCpus),
    // A node has one task at least.
    ...optional('memoryBytesPerNode', memory === undefined ? undefined : memory * mebibyte),
    walltimeMs: Math.min(settings.walltime, resources.mostWalltimeMs ?? settings.walltime),
    ...placeOf(settings),
    ...resources,
  };
}

/** Where in Slurm, as far as somebody says. */
function placeOf({
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

/** Megabytes: the limit of a container, with a little for what runs beside it. */
function memoryOfTask(limit: number | undefined): number | undefined {
  return limit === undefined ? undefined : Math.ceil(limit / mebibyte) + besideMegabytes;
}

/** What was asked for is asked for; the limit of a container is each task's. */
function memoryOf(
  asked: number | undefined,
  limit: number | undefined,
  { tasks, cpusPerTask }: Pick<JobPlan, 'tasks' | 'cpusPerTask'>,
): { readonly mem?: string; readonly 'mem-per-cpu'?: string } {
  if (asked !== undefined) return { mem: `${Math.ceil(asked / mebibyte)}M` };
  const each = memoryOfTask(limit);
  if (each === undefined) return {};
  return tasks === 1 ? { mem: `${each}M` } : optional('mem-per-cpu', `${Math.ceil(each / cpusPerTask)}M`);
}

/** Of a walltime no longer than the margin, half. */
function timeBefore(walltimeMs: number, marginMs: number): number {
  return walltimeMs > marginMs ? Math.max(1_000, walltimeMs - marginMs) : Math.ceil(walltimeMs / 2);
}
