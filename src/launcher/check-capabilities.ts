/** Whether a launcher has the powers that somebody asks for. Pure. */

import type { LauncherCapabilities } from './launcher.ts';
import { type Resources, tasksOf } from './resources.ts';

/** Means something only where there is a scheduler. */
const ofSchedulers = ['partition', 'account', 'qos', 'constraint', 'reservation'] as const;

/** Why a launcher of these powers can never give this; nothing when it may. */
export function capabilityProblem(
  resources: Resources,
  { name, capabilities }: { readonly name: string; readonly capabilities: LauncherCapabilities },
): string | undefined {
  const { nodes = 1, gpusPerNode = 0 } = resources;
  if (gpusPerNode > 0 && !capabilities.gpus) return `launcher "${name}" has no GPUs to give; leave "gpus" away`;
  if (!capabilities.multiNode && (nodes > 1 || tasksOf(resources) > 1)) {
    return `launcher "${name}" runs one task on one node; leave "nodes" and "tasks" away`;
  }
  const word = capabilities.queues ? undefined : ofSchedulers.find((key) => resources[key] !== undefined);
  if (word !== undefined) return `launcher "${name}" has no scheduler to give "${word}" to; leave it away`;
  return limitProblem(
    { memory: resources.memoryBytesPerNode, cpus: resources.cpusPerTask },
    { name, resourceLimits: capabilities.resourceLimits },
  );
}

/**
 * Why a program cannot be kept within limits that somebody asks for; nothing where it can, or where nobody knows yet.
 *
 * @param asked - by the name of the attribute.
 */
export function limitProblem(
  asked: Readonly<Record<string, unknown>>,
  { name, resourceLimits }: { readonly name: string; readonly resourceLimits: boolean | undefined },
): string | undefined {
  const limit = Object.keys(asked).find((key) => asked[key] !== undefined && asked[key] !== null);
  if (resourceLimits !== false || limit === undefined) return undefined;
  const why = `launcher "${name}" cannot keep a program within memory or processors: its host lets nobody use cgroups`;
  return `${why}; leave "${limit}" away, or have an administrator give users of the host cgroups (version 2)`;
}
