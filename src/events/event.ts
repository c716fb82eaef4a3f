/**
 * What happens to an actor and its executions, as its link and its webhook are told (contract §11). Pure.
 *
 * There are three events: `ready` and `failed` when the image of a revision was pinned or could not be, `ended` when an
 * execution that a worker held has ended. What was purged before anybody took it has no event, as it never ran.
 */

/** As the scripts write it in the same step as the change (`oweEvent` in `shared.lua`). */
export interface EventEntry {
  /** Grows with every event of the actor. */
  readonly number: number;
  /** Milliseconds. */
  readonly at: number;
  /** As the actor's settings were then; empty is none. */
  readonly link: string;
  readonly webhook: string;
  readonly kind: 'ready' | 'error' | 'ended';
  /** Of an actor: what its status message says. */
  readonly message?: string;
  readonly execution?: string;
  readonly state?: 'complete' | 'error';
  readonly exitCode?: string;
  /** Ids of the actors whose events led to the execution, the first one first. */
  readonly via?: string;
}

export type EventDocument = Readonly<Record<string, unknown>>;

export const eventExecutor = 'Abaco Event';

const types = { ready: 'ACTOR_READY', error: 'ACTOR_ERROR', ended: 'EXECUTION_COMPLETE' } as const;

/** A message is a variable of a container, which has a limit; nobody reads more of what went wrong. */
const mostMessageCharacters = 4_096;

export function readEvent(text: string): EventEntry {
  return JSON.parse(text) as EventEntry;
}

/** Ids of the actors that led to this event, the one it is of last. */
export function pathOf(event: EventEntry, actorId: string): readonly string[] {
  return [...(event.via ?? '').split(' ').filter((id) => id !== ''), actorId];
}

/** @param target id of the actor that the link led to; nothing when there is none. */
export function renderEvent(
  event: EventEntry,
  source: { readonly tenant: string; readonly actorId: string },
  target: string | undefined,
): EventDocument {
  const time = new Date(event.at).toISOString();
  return {
    tenant_id: source.tenant,
    event_type: types[event.kind],
    event_time_utc: time,
    event_time_display: time,
    actor_id: source.actorId,
    actor_dbid: `${source.tenant}_${source.actorId}`,
    _abaco_link: target === undefined ? '' : `${source.tenant}_${target}`,
    _abaco_webhook: event.webhook,
    ...dataOf(event),
  };
}

function dataOf({ kind, message = '', execution, state = 'complete', exitCode }: EventEntry): EventDocument {
  if (kind !== 'ended') return { status_message: message.slice(0, mostMessageCharacters) };
  return {
    execution_id: execution,
    status: state.toUpperCase(),
    exit_code: exitCode === undefined ? 'undetermined' : Number(exitCode),
  };
}
