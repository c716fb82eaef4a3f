/** How many workers each actor should have on this host; pure. */

export interface ActorDemand {
  readonly key: string;
  /** Messages that wait. */
  readonly waiting: number;
  /** Workers of this host that are running an execution now. */
  readonly busy: number;
  /** Most that may run at once, by the actor's rules. */
  readonly concurrency: number;
  /** Workers somebody asked for; 0 when nobody did. */
  readonly wanted: number;
}

/** Most workers of an actor that says nothing of it. What waits in a scheduler (`queued`) takes no place on a host. */
export function workersPerActor(
  limits: { readonly perActor: number; readonly maxQueued: number },
  queued: boolean,
  wanted: number,
): number {
  return Math.max(queued ? limits.maxQueued : limits.perActor, wanted);
}

/**
 * Busy workers stay. Places that are left go round robin, one by one, to actors whose messages wait; what is left then
 * keeps one ready worker for each actor, as long as there are places. The sum never exceeds `perHost`, but for busy ones.
 */
export function planWorkers(demands: readonly ActorDemand[], perHost: number): ReadonlyMap<string, number> {
  const plan = new Map(demands.map((demand) => [demand.key, demand.busy]));
  let free = perHost - demands.reduce((sum, demand) => sum + demand.busy, 0);

  const grant = (wants: (demand: ActorDemand, planned: number) => boolean): boolean => {
    let granted = false;
    for (const demand of demands) {
      const planned = plan.get(demand.key) ?? 0;
      if (free <= 0 || !wants(demand, planned)) continue;
      plan.set(demand.key, planned + 1);
      free -= 1;
      granted = true;
    }
    return granted;
  };

  while (grant((demand, planned) => planned < Math.min(demand.concurrency, demand.busy + demand.waiting))) {
    // Each round gives every actor with a waiting message one more place.
  }
  while (grant((demand, planned) => planned < Math.min(demand.concurrency, Math.max(1, demand.wanted)))) {
    // Each round keeps one more worker ready.
  }
  return plan;
}
