/** How what is searched looks to a search; handed in, since the spelling is that of the API. */

import type { Actor } from '../actors/actor.ts';
import type { Permission } from '../auth/permission.ts';
import type { Execution } from '../executions/execution.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { SearchEntry, SearchFields } from './search.ts';

export interface Describe {
  actor(actor: Actor, state: unknown): SearchFields;
  execution(execution: Execution): SearchFields;
  log(execution: Execution, text: string): SearchFields;
  /** Who sees the actor and what is its. */
  readers(actor: Actor, grants: ReadonlyMap<string, Permission>): readonly string[];
}

/** An actor with its state and its permissions. */
export interface FoundActor {
  readonly actor: Actor;
  readonly state: unknown;
  readonly grants: ReadonlyMap<string, Permission>;
}

export function actorEntry(
  { tenant, actorId }: ActorRef,
  version: number,
  found: FoundActor | undefined,
  describe: Describe,
): SearchEntry {
  const key = { kind: 'actors', tenant, actorId, id: actorId, version } as const;
  if (!found) return { ...key, time: new Date(0), fields: null };
  const { actor, state, grants } = found;
  const time = actor.createTime;
  return { ...key, time, fields: describe.actor(actor, state), readers: describe.readers(actor, grants) };
}

export function executionEntry(execution: Execution, version: number, describe: Describe): SearchEntry {
  const { tenant, actorId, id, receivedAt } = execution;
  const key = { kind: 'executions', tenant, actorId, id, version } as const;
  return { ...key, time: receivedAt, fields: describe.execution(execution) };
}

export function logEntry(
  execution: Execution,
  version: number,
  { text, expiresAt }: { readonly text: string; readonly expiresAt: Date | undefined },
  describe: Describe,
): SearchEntry {
  const fields = describe.log(execution, text);
  const entry = { ...executionEntry(execution, version, describe), kind: 'logs', fields } as const;
  return expiresAt ? { ...entry, expiresAt } : entry;
}
