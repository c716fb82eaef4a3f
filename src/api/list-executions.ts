/** The executions of an actor as a listing shows them: the latest, and the sums over all (contract §7.8). */

import { UnavailableError } from '../errors.ts';
import { byArrival, type Execution } from '../executions/execution.ts';
import type { ExecutionTotals, History } from '../history/history.ts';
import { addTotals, noTotals, totalsOf } from '../history/totals.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { Services } from './services.ts';

export interface ExecutionListing {
  /** The latest, by arrival. */
  readonly executions: readonly Execution[];
  /** Over all there are, also those not listed. */
  readonly totals: ExecutionTotals;
  /** False while the history does not answer: then only what is alive or has just ended is listed and counted. */
  readonly complete: boolean;
}

/** Executions the history is asked for at once. */
const pageSize = 1_000;

/** Redis is read first: what is drained meanwhile is then found in both, and listed and counted once. */
export async function listExecutions(
  { executions, history }: Pick<Services, 'executions' | 'history'>,
  actor: ActorRef,
  most: number,
): Promise<ExecutionListing> {
  const live = await executions.list(actor, most);
  const ended = await readEnded(history, actor, live.executions, most);
  const byId = new Map([...(ended?.latest ?? []), ...live.executions].map((execution) => [execution.id, execution]));
  const all = [...byId.values()].sort(byArrival);
  const kept = ended?.kept ?? new Set<string>();
  const alive = live.executions.filter(({ id }) => !kept.has(id)).map(totalsOf);
  const totals = addTotals([ended?.totals ?? noTotals, ...alive, { ...noTotals, count: live.more }]);
  return { executions: all.slice(-most), totals, complete: ended !== undefined };
}

interface Ended {
  readonly latest: readonly Execution[];
  readonly totals: ExecutionTotals;
  /** Those of the live ones that the totals hold already. */
  readonly kept: ReadonlySet<string>;
}

/** Nothing when the history does not answer. */
async function readEnded(
  history: History,
  actor: ActorRef,
  live: readonly Execution[],
  most: number,
): Promise<Ended | undefined> {
  const { tenant, actorId } = actor;
  try {
    const latest = await readLatest(history, actor, most);
    const totals = await history.totals(tenant, actorId);
    const kept = new Set(latest.map(({ id }) => id));
    // Found by themselves: one that waited long is older than the latest when it ends, as one that ran a moment ago may have.
    const started = live.filter(({ id, state }) => state !== 'submitted' && !kept.has(id));
    const unsure = latest.length < totals.count ? started : [];
    for (const { id } of unsure) if (await history.execution(tenant, actorId, id)) kept.add(id);
    return { latest, totals, kept };
  } catch (thrown) {
    if (thrown instanceof UnavailableError && thrown.code === 'history.unavailable') return undefined;
    throw thrown;
  }
}

async function readLatest(history: History, { tenant, actorId }: ActorRef, most: number): Promise<Execution[]> {
  const latest: Execution[] = [];
  for (;;) {
    const before = latest.at(-1)?.id;
    const limit = Math.min(pageSize, most - latest.length);
    const page = await history.executions(tenant, actorId, before === undefined ? { limit } : { before, limit });
    latest.push(...page);
    if (page.length < limit || latest.length === most) return latest;
  }
}
