/** How many workers each actor should have on this host; pure. */

export interface ActorDemand {
  readonly key: string;
  /** Messages that wait and may be taken, by what was last heard. */
  readonly waiting: number;
  /** Workers of this host that are running an execution now. */
  readonly busy: number;
  /** Most that may run at once, by the actor's rules. */
  readonly concurrency: number;
  /** Workers somebody asked for; 0 when nobody did. */
  readonly wanted: number;
}

export interface WorkerPlan {
  readonly counts: ReadonlyMap<string, number>;
  /** Whether messages wait that only lack a place. */
  readonly crowded: boolean;
}

/** Most workers of an actor that says nothing of it. What waits in a scheduler (`queued`) takes no place on a host. */
export function workersPerActor(
  limits: { readonly perActor: number; readonly maxQueued: number },
  queued: boolean,
): number {
  return queued ? limits.maxQueued : limits.perActor;
}

/**
 * Busy workers stay. Places that are left go one by one to actors whose messages wait, always to the one with the fewest
 * and of several to the one that comes first; so who has none gets one before anybody gets a second. What is left then
 * keeps one ready worker for each actor, the last first. The sum never exceeds `perHost`, but for busy ones.
 *
 * @param demands - whoever has not taken a message for the longest time first.
 */
export function planWorkers(demands: readonly ActorDemand[], perHost: number): WorkerPlan {
  const counts = new Map(demands.map((demand) => [demand.key, demand.busy]));
  const countOf = ({ key }: ActorDemand): number => counts.get(key) ?? 0;
  let free = perHost - demands.reduce((sum, demand) => sum + demand.busy, 0);

  /** @returns whether all have got what they aim at. */
  const fill = (some: readonly ActorDemand[], aimOf: (demand: ActorDemand) => number): boolean => {
    let short = some.filter((demand) => countOf(demand) < aimOf(demand));
    for (let level = 1; free > 0 && short.length > 0; level += 1) {
      for (const demand of short.filter((each) => countOf(each) < level).slice(0, free)) {
        counts.set(demand.key, level);
        free -= 1;
      }
      short = short.filter((demand) => countOf(demand) < aimOf(demand));
    }
    return short.length === 0;
  };

  const served = fill(demands, ({ concurrency, busy, waiting }) => Math.min(concurrency, busy + waiting));
  fill(demands.toReversed(), ({ concurrency, wanted }) => Math.min(concurrency, Math.max(1, wanted)));
  return { counts, crowded: !served };
}
