/** Adds to an execution that has not started why it waits, from what is known now. */

import { concurrencyOf } from '../actors/actor.ts';
import type { Execution } from '../executions/execution.ts';
import { chooseLauncher } from '../launcher/launcher-table.ts';
import { workersPerActor } from '../workers/plan-workers.ts';
import { planHeldWait, planWait } from './plan-wait.ts';
import type { Services } from './services.ts';

export type WaitSources = Pick<
  Services,
  'actors' | 'clock' | 'config' | 'executions' | 'launchers' | 'launcherWait' | 'mailbox' | 'workers'
>;

/** What runs or has ended waits for nothing of ours, so it stays as it is. */
export async function explainWait(services: WaitSources, execution: Execution): Promise<Execution> {
  const { actors, clock, config, executions, mailbox, workers } = services;
  if (execution.state !== 'submitted') return execution;
  const { tenant, actorId, id } = execution;
  const ref = { tenant, actorId };
  const [actor, standing] = await Promise.all([actors.get(tenant, actorId), mailbox.standing(ref, id)]);
  if (!actor) return execution;
  // What a worker holds, which may be for hours in a queue of the cluster, says itself what it waits for.
  if (standing === undefined) return { ...execution, wait: planHeldWait(execution) };
  const [heldIds, records, wanted] = await Promise.all([mailbox.heldIds(ref), workers.list(ref), workers.wanted(ref)]);
  const first = standing.firstId !== id ? await executions.get(ref, standing.firstId) : execution;
  const launcher = chooseLauncher(actor, { queues: config.queues, defaultLauncher: config.service.defaultLauncher });
  const queued = services.launchers.byName(launcher)?.launcher.capabilities.queues === true;
  const wait = planWait(execution, {
    actor,
    ahead: standing.ahead,
    firstWait: first?.wait,
    launcherWait: services.launcherWait(launcher),
    heldIds,
    mostHeld: concurrencyOf(actor, { workersPerActor: workersPerActor(config.workers, queued), wanted }),
    workers: records.length,
    now: clock.now(),
  });
  return { ...execution, wait };
}
