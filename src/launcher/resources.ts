/**
 * What a program asks of whatever runs it, beside an image: how much of a machine, and where in a scheduler. Nothing given
 * leaves it to the queue, the launcher, or the scheduler. Everything is checked when it is read, so words hold nothing that
 * could say more than it should on a command line or in a script.
 */

export interface Resources {
  readonly nodes?: number;
  /** Processes of the program, over all nodes. Several are started together, by the scheduler. */
  readonly tasks?: number;
  readonly cpusPerTask?: number;
  readonly memoryBytesPerNode?: number;
  readonly gpusPerNode?: number;
  /** Which GPUs, where a site has several kinds. */
  readonly gpuType?: string;
  readonly walltimeMs?: number;
  /** Where no walltime is asked for, the longest there may be; no actor says it. */
  readonly mostWalltimeMs?: number;
  readonly partition?: string;
  readonly account?: string;
  readonly qos?: string;
  readonly constraint?: string;
  readonly reservation?: string;
}

/** Several nodes are several tasks at least: one each, where nobody says how many. */
export function tasksOf({ tasks, nodes = 1 }: Resources): number {
  return tasks ?? nodes;
}

export function asksForNothing(resources: Resources): boolean {
  return Object.keys(resources).length === 0;
}
