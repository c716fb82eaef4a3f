/** Why an execution has not started yet, pure: cause, since when, who can change it, what comes next (promise 9). */

import type { Actor } from '../actors/actor.ts';
import type { Execution, Wait } from '../executions/execution.ts';

export interface WaitFacts {
  readonly actor: Actor;
  /** Messages before it in the mailbox. */
  readonly ahead: number;
  /** Why the message that is taken next was given back, if it was. */
  readonly firstWait: Wait | undefined;
  /** Why the actor's launcher takes nothing, where that is known. */
  readonly launcherWait: Wait | undefined;
  /** Executions of the actor that workers hold. */
  readonly heldIds: readonly string[];
  /** How many workers may hold at once. */
  readonly mostHeld: number;
  /** Workers that serve the actor. */
  readonly workers: number;
  readonly now: Date;
}

/** After so long without a worker it is no matter of a moment any more. */
const patienceMs = 30_000;

/** Of one in the mailbox: the first cause that holds, from its actor over the launcher to the messages beside it. */
export function planWait(execution: Execution, facts: WaitFacts): Wait {
  return (
    waitForActor(execution, facts.actor) ??
    facts.launcherWait ??
    facts.firstWait ??
    waitForPlace(execution, facts) ??
    waitForWorker(execution, facts)
  );
}

/** Of one that a worker holds: what its worker has noted, else that it is being started. */
export function planHeldWait({ receivedAt, wait, workerId }: Execution): Wait {
  if (wait) return wait;
  const worker = workerId === undefined ? 'A worker' : `Worker "${workerId}"`;
  return { cause: `${worker} is starting it`, since: receivedAt, owner: 'service', next: 'It runs in a moment' };
}

function waitForActor({ receivedAt }: Execution, actor: Actor): Wait | undefined {
  const { id, image, lastUpdateTime, status, statusMessage } = actor;
  const since = receivedAt > lastUpdateTime ? receivedAt : lastUpdateTime;
  switch (status) {
    case 'ready':
      return undefined;
    case 'shutting_down':
      return { cause: `Actor "${id}" is being deleted`, since, owner: 'service', next: 'It ends as cancelled' };
    case 'error': {
      const next = 'Update the actor with an image that can be started, or with "force" to try this one again';
      return { cause: `Actor "${id}" is in ERROR: ${statusMessage}`, since, owner: 'user', next };
    }
    case 'submitted': {
      const next = 'It runs once the image is there';
      return actor.wait ?? { cause: `Image "${image}" is being prepared`, since, owner: 'service', next };
    }
  }
}

/** All that may run at once do. */
function waitForPlace({ receivedAt }: Execution, { actor, ahead, heldIds, mostHeld }: WaitFacts): Wait | undefined {
  if (heldIds.length < mostHeld) return undefined;
  const own = !actor.stateless || actor.maxWorkers !== null;
  const cause = actor.stateless
    ? `${heldIds.length} of at most ${mostHeld} executions of the actor run now${before(ahead)}`
    : `Execution "${heldIds[0] ?? ''}" of the same stateful actor has not ended${before(ahead)}`;
  const next = actor.stateless ? 'It runs when one of them has ended' : 'It runs when all before it have ended';
  return { cause, since: receivedAt, owner: own ? 'user' : 'operator', next };
}

function waitForWorker({ receivedAt }: Execution, { ahead, workers, now }: WaitFacts): Wait {
  if (workers > 0) {
    const cause = ahead > 0 ? `${messages(ahead)} before it` : 'A worker is about to take it';
    return { cause, since: receivedAt, owner: 'service', next: 'Workers take messages in order' };
  }
  const long = now.getTime() - receivedAt.getTime() > patienceMs;
  return {
    cause: `No worker serves the actor${before(ahead)}`,
    since: receivedAt,
    owner: long ? 'operator' : 'service',
    next: long
      ? 'See that a supervisor runs and that its host has room ("workers.per_host")'
      : 'A worker starts as soon as a host has room',
  };
}

function before(ahead: number): string {
  return ahead > 0 ? `, and ${messages(ahead)} before this one` : '';
}

function messages(count: number): string {
  return count === 1 ? '1 message stands' : `${count} messages stand`;
}
