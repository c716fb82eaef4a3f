/** Ends what a starter has made, the whole of it. */

import type { Command } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { type ProcessEntry, presenceOf, type Starter, treeOf } from './process-table.ts';
import type { ProcessWatch } from './process-watch.ts';

export interface ProcessesOfHost {
  readonly host: Host;
  readonly processes: ProcessWatch;
}

/** Whether anybody was there to hear it; `unknown` where what answered is not known to be the host of the starter. */
export type Heard = 'told' | 'nobody' | 'unknown';

/** Our helper in the container: it passes TERM on to the program, and keeps the grace time. */
const helperName = 'abaco-start';

export async function terminateTree(where: ProcessesOfHost, starter: Starter, signal: AbortSignal): Promise<Heard> {
  const table = await where.processes.now();
  if (presenceOf(starter, table) === 'unknown') return 'unknown';
  const tree = treeOf(starter, table);
  const helpers = tree.filter(({ name }) => name === helperName);
  return (await send(where, 'TERM', helpers.length > 0 ? helpers : tree, signal)) ? 'told' : 'nobody';
}

/** Until nothing is left: what was about to start something may have done so meanwhile. */
export async function killTree(where: ProcessesOfHost, starter: Starter, signal: AbortSignal): Promise<void> {
  for (let round = 0; round < 10; round += 1) {
    const tree = treeOf(starter, await where.processes.now());
    // The innermost first, so that nobody is there to clean up after itself.
    if (!(await send(where, 'KILL', tree.toReversed(), signal))) return;
  }
}

async function send(
  { host }: ProcessesOfHost,
  name: 'TERM' | 'KILL',
  processes: readonly ProcessEntry[],
  signal: AbortSignal,
): Promise<boolean> {
  if (processes.length > 0) await host.run(killCommand(name, processes), signal);
  return processes.length > 0;
}

/** One that has ended meanwhile is no failure. */
function killCommand(name: 'TERM' | 'KILL', processes: readonly ProcessEntry[]): Command<void> {
  const pids = processes.map(({ pid }) => String(pid));
  return { argv: ['/bin/sh', '-c', 'kill -s "$0" "$@" 2>/dev/null || :', name, ...pids], parse: () => undefined };
}
