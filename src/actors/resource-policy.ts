/** What the operator allows the actors of a queue to ask for, and gives them where they say nothing. Pure. */

import type { Resources } from '../launcher/resources.ts';
import { renderByteSize } from '../lib/byte-size.ts';
import { renderDuration } from '../lib/duration.ts';

/** The part of a queue's table in the configuration that is about resources. */
export interface ResourcePolicy {
  /** Those that may be asked for; the first is given where none is. Empty: any. */
  readonly partitions: readonly string[];
  readonly accounts: readonly string[];
  readonly qos: readonly string[];
  readonly maxWalltimeMs: number | null;
  readonly maxNodes: number | null;
  readonly maxMemoryBytes: number | null;
  readonly maxGpus: number | null;
}

/** With what the queue gives where nothing is asked for. */
export function fillResources(asked: Resources, policy: ResourcePolicy): Resources {
  const { partitions, accounts, qos, maxWalltimeMs } = policy;
  const mostWalltimeMs = asked.walltimeMs === undefined ? (maxWalltimeMs ?? undefined) : undefined;
  const given = { partition: partitions[0], account: accounts[0], qos: qos[0], mostWalltimeMs };
  const words = Object.entries(given).filter(([, word]) => word !== undefined);
  return { ...(Object.fromEntries(words) as Resources), ...asked };
}

/** Why the queue does not allow this, with what it allows; nothing when it does. */
export function policyProblem(asked: Resources, queue: string, policy: ResourcePolicy): string | undefined {
  const lists = [
    ['partition', asked.partition, policy.partitions],
    ['account', asked.account, policy.accounts],
    ['qos', asked.qos, policy.qos],
  ] as const;
  for (const [name, word, allowed] of lists) {
    if (word === undefined || allowed.length === 0 || allowed.includes(word)) continue;
    return `"${name}" is ${JSON.stringify(word)}; queue "${queue}" allows ${allowed.join(', ')}`;
  }
  const most = [
    ['walltime', asked.walltimeMs, policy.maxWalltimeMs, renderDuration],
    ['nodes', asked.nodes, policy.maxNodes, String],
    ['memory', asked.memoryBytesPerNode, policy.maxMemoryBytes, renderByteSize],
    ['gpus', asked.gpusPerNode, policy.maxGpus, String],
  ] as const;
  for (const [name, value, limit, render] of most) {
    if (value === undefined || limit === null || value <= limit) continue;
    return `"${name}" is ${render(value)}; queue "${queue}" allows ${render(limit)} at most`;
  }
  return spreadProblem(asked, queue, policy);
}

/** A scheduler may give each task a node of its own where nobody says how many there are to be. */
function spreadProblem(
  { nodes, tasks = 1 }: Resources,
  queue: string,
  { maxNodes }: ResourcePolicy,
): string | undefined {
  if (nodes !== undefined || maxNodes === null || tasks <= maxNodes) return undefined;
  return `"tasks" is ${tasks}, which may be as many nodes; queue "${queue}" allows ${maxNodes} at most: say "nodes" as well`;
}
