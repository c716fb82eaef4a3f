/** The `_links` of answers: always with `/actors/v2`, whatever prefix the request used (contract §1.1). */

import type { ObjectRef } from '../auth/permission.ts';

export interface Links {
  /** Executions of all actors. */
  readonly latest: string;
  /** Base of all others, shown as `api_server`. */
  readonly apiServer: string;
  actor(actorId: string): string;
  profile(user: string): string;
  messages(actorId: string): string;
  executions(actorId: string): string;
  execution(actorId: string, executionId: string): string;
  logs(actorId: string, executionId: string): string;
  alias(alias: string): string;
  config(name: string): string;
  /** Of an actor by its id, or of an alias. */
  nonce(object: Pick<ObjectRef, 'kind' | 'id'>, nonceId: string): string;
}

/** @param base read anew each time, since a free port is known only once it is listened on. */
export function createLinks(base: () => string): Links {
  const actor = (actorId: string): string => `${base()}/actors/v2/${encodeURIComponent(actorId)}`;
  const alias = (name: string): string => `${base()}/actors/v2/aliases/${encodeURIComponent(name)}`;
  return {
    get apiServer() {
      return base();
    },
    get latest() {
      return `${base()}/actors/v2/executions`;
    },
    actor,
    alias,
    config: (name) => `${base()}/actors/v2/configs/${encodeURIComponent(name)}`,
    nonce: ({ kind, id }, nonceId) =>
      `${kind === 'actor' ? actor(id) : alias(id)}/nonces/${encodeURIComponent(nonceId)}`,
    profile: (user) => `${base()}/profiles/v2/${encodeURIComponent(user)}`,
    messages: (actorId) => `${actor(actorId)}/messages`,
    executions: (actorId) => `${actor(actorId)}/executions`,
    execution: (actorId, executionId) => `${actor(actorId)}/executions/${executionId}`,
    logs: (actorId, executionId) => `${actor(actorId)}/executions/${executionId}/logs`,
  };
}
