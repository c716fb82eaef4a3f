/** Learns the facts of a cluster, seldom: what it said last is good until it says something else. */

import { asError } from '../../src/errors.ts';
import type { LauncherLog } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import { orAborted } from '../../src/lib/or-aborted.ts';
import type { Host } from '../host/host.ts';
import type { ClusterFacts, PartitionFacts } from './cluster-facts.ts';
import { showUsersCommand } from './commands/sacctmgr.ts';
import { type PartitionRules, showConfigCommand, showPartitionsCommand } from './commands/scontrol.ts';
import { type NodeGroup, sinfoCommand } from './commands/sinfo.ts';

export interface ClusterKnowledge {
  /** What it last said; nothing before it has answered once. Asks again behind the caller's back when that is old. */
  facts(): ClusterFacts | undefined;
  /**
   * Asks unless it was asked within the interval. Never rejects: what is not learned refuses nothing. Once `signal` aborts
   * nobody waits for it any more; it goes on.
   */
  learn(signal?: AbortSignal): Promise<void>;
}

export interface ClusterKnowledgeOptions {
  /** As the account that sees all users. */
  readonly host: Pick<Host, 'run'>;
  readonly everyMs: number;
  readonly log: LauncherLog;
  readonly closing: AbortSignal;
  readonly now?: () => number;
}

/** A cluster that has said nothing yet is asked again sooner. */
const unknownPauseMs = 30_000;

export function createClusterKnowledge({
  host,
  everyMs,
  log,
  closing,
  now = Date.now,
}: ClusterKnowledgeOptions): ClusterKnowledge {
  let known: ClusterFacts | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  async function ask(): Promise<void> {
    try {
      const config = await host.run(showConfigCommand(), closing);
      const rules = await host.run(showPartitionsCommand(), closing);
      const nodes = await host.run(sinfoCommand(), closing);
      const users = await host.run(showUsersCommand(), closing).catch((thrown: unknown) => {
        log.debug({ err: asError(thrown) }, 'accounts of the cluster not learned');
        return [];
      });
      known = {
        partitions: rules.map((rule) => withNodes(rule, nodes)),
        associations: users.filter(({ cluster }) => cluster === config.clusterName),
        ...optional('maxArraySize', config.maxArraySize),
      };
    } catch (thrown) {
      if (!closing.aborted) log.debug({ err: asError(thrown) }, 'limits of the cluster not learned');
    }
  }

  async function learn(signal?: AbortSignal): Promise<void> {
    const pauseMs = known ? everyMs : Math.min(everyMs, unknownPauseMs);
    if (!asking && now() - askedAt >= pauseMs && !closing.aborted) {
      askedAt = now();
      asking = ask().finally(() => {
        asking = undefined;
      });
    }
    if (asking && signal) await orAborted(asking, signal).catch(() => undefined);
    else await asking;
  }

  return {
    facts() {
      void learn();
      return known;
    },
    learn,
  };
}

/** A partition with the most that one of its nodes has of each. */
export function withNodes(rule: PartitionRules, nodes: readonly NodeGroup[]): PartitionFacts {
  const own = nodes.filter(({ partition }) => partition === rule.name);
  const gpus = new Map<string, number>();
  for (const group of own) {
    for (const [kind, count] of group.gpus) gpus.set(kind, Math.max(gpus.get(kind) ?? 0, count));
  }
  const most = (values: readonly number[]): number | undefined => (own.length === 0 ? undefined : Math.max(...values));
  return {
    ...rule,
    ...optional('cpusPerNode', most(own.map(({ cpus }) => cpus))),
    ...optional('memoryBytesPerNode', most(own.map(({ memoryBytes }) => memoryBytes))),
    gpusPerNode: gpus,
    features: [...new Set(own.flatMap(({ features }) => features))],
  };
}
