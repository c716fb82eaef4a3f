/** Whether a cluster could ever give what is asked for, by what it last said of itself. Pure; what is not known passes. */

import type { Resources } from '../../src/launcher/resources.ts';
import { renderByteSize } from '../../src/lib/byte-size.ts';
import { renderDuration } from '../../src/lib/duration.ts';
import { associationOf, type ClusterFacts, type PartitionFacts, partitionsOf } from './cluster-facts.ts';

/** Why not, with what would be possible; nothing where it may be. */
export function checkResources(asked: Resources, facts: ClusterFacts, owner: string): string | undefined {
  return checkNames(asked, facts) ?? checkAccount(asked, facts, owner) ?? checkPartitions(asked, facts, owner);
}

function checkNames({ partition }: Resources, { partitions }: ClusterFacts): string | undefined {
  if (partition === undefined || partitions.length === 0) return undefined;
  const unknown = partition.split(',').find((name) => !partitions.some((known) => known.name === name));
  if (unknown === undefined) return undefined;
  return `"partition" is "${unknown}"; this cluster has ${listed(partitions.map(({ name }) => name))}`;
}

function checkAccount(asked: Resources, facts: ClusterFacts, owner: string): string | undefined {
  const own = facts.associations.filter(({ user }) => user === owner);
  // An accounting that tells nothing of somebody may only be discreet.
  if (own.length === 0) return undefined;
  const { account, qos, walltimeMs } = asked;
  if (account !== undefined && !own.some((one) => one.account === account)) {
    return `"account" is "${account}"; user "${owner}" may charge ${listed(own.map((one) => one.account))}`;
  }
  const used = own.filter((one) => (account === undefined ? one.isDefault : one.account === account));
  const allowed = used.flatMap((one) => one.qos);
  if (qos !== undefined && allowed.length > 0 && !allowed.includes(qos)) {
    return `"qos" is "${qos}"; account "${used[0]?.account}" of user "${owner}" has ${listed(allowed)}`;
  }
  const longest = Math.max(...used.map(({ maxWallMs }) => maxWallMs ?? Number.POSITIVE_INFINITY));
  if (walltimeMs === undefined || used.length === 0 || walltimeMs <= longest) return undefined;
  return `"walltime" is ${renderDuration(walltimeMs)}; account "${used[0]?.account}" gives ${renderDuration(longest)}`;
}

/** One of the partitions it may run in is enough; the first says why not. */
function checkPartitions(asked: Resources, facts: ClusterFacts, owner: string): string | undefined {
  const account = associationOf(facts, owner, asked)?.account ?? asked.account;
  const problems = partitionsOf(facts, asked).map((partition) => checkPartition(asked, partition, account));
  if (problems.length === 0 || problems.includes(undefined)) return undefined;
  return `${problems[0]}${alternatives(asked, facts, account)}`;
}

function checkPartition(asked: Resources, partition: PartitionFacts, account: string | undefined): string | undefined {
  const where = `partition "${partition.name}"`;
  const { allowedAccounts, deniedAccounts, allowedQos } = partition;
  if (account !== undefined && allowedAccounts?.includes(account) === false) {
    return `${where} is not for account "${account}"; it is for ${listed(allowedAccounts)}`;
  }
  if (account !== undefined && deniedAccounts?.includes(account) === true) {
    return `${where} is not for account "${account}"`;
  }
  if (asked.qos !== undefined && allowedQos?.includes(asked.qos) === false) {
    return `${where} does not take qos "${asked.qos}"; it takes ${listed(allowedQos)}`;
  }
  const most = [
    ['walltime', asked.walltimeMs, partition.maxTimeMs, renderDuration],
    ['nodes', asked.nodes, partition.maxNodes, String],
    ['cpus', asked.cpusPerTask, partition.cpusPerNode, (count: number) => `${count} on its largest node`],
    ['memory', asked.memoryBytesPerNode, partition.memoryBytesPerNode, renderByteSize],
  ] as const;
  for (const [name, value, limit, render] of most) {
    if (value === undefined || limit === undefined || value <= limit) continue;
    const shown = name === 'cpus' ? String(value) : render(value);
    return `"${name}" is ${shown}; ${where} gives ${render(limit)}`;
  }
  return checkGpus(asked, partition) ?? checkConstraint(asked, partition);
}

function checkGpus({ gpusPerNode = 0, gpuType }: Resources, partition: PartitionFacts): string | undefined {
  if (gpusPerNode === 0 || partition.cpusPerNode === undefined) return undefined;
  const kinds = [...partition.gpusPerNode].map(([kind, count]) => (kind === '' ? String(count) : `${kind}:${count}`));
  const counts = [...partition.gpusPerNode.values()];
  const most = gpuType === undefined ? Math.max(0, ...counts) : (partition.gpusPerNode.get(gpuType) ?? 0);
  if (gpusPerNode <= most) return undefined;
  const shown = gpuType === undefined ? String(gpusPerNode) : `${gpuType}:${gpusPerNode}`;
  return `"gpus" is ${shown}; nodes of partition "${partition.name}" have ${kinds.length === 0 ? 'none' : listed(kinds)}`;
}

/** Slurm combines features in many ways; each word of it has to be one that some node has. */
function checkConstraint(
  { constraint }: Resources,
  { name, features, cpusPerNode }: PartitionFacts,
): string | undefined {
  if (constraint === undefined || cpusPerNode === undefined) return undefined;
  const words = constraint.match(/[A-Za-z_][\w.-]*/g) ?? [];
  const unknown = words.find((word) => !features.includes(word));
  if (unknown === undefined) return undefined;
  const has = features.length === 0 ? 'no features' : listed(features);
  return `"constraint" names "${unknown}"; nodes of partition "${name}" have ${has}`;
}

function alternatives(asked: Resources, { partitions }: ClusterFacts, account: string | undefined): string {
  const able = partitions.filter((partition) => checkPartition(asked, partition, account) === undefined);
  return able.length === 0 ? '' : `; possible in ${listed(able.map(({ name }) => name))}`;
}

function listed(words: readonly string[]): string {
  return [...new Set(words)].toSorted().join(', ');
}
