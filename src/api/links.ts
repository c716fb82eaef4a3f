/** The `_links` of answers: always with `/actors/v2`, whatever prefix the request used (contract §1.1). */

export interface Links {
  /** Base of all others, shown as `api_server`. */
  readonly apiServer: string;
  actor(actorId: string): string;
  profile(user: string): string;
  messages(actorId: string): string;
  executions(actorId: string): string;
  execution(actorId: string, executionId: string): string;
  logs(actorId: string, executionId: string): string;
}

/** @param base read anew each time, since a free port is known only once it is listened on. */
export function createLinks(base: () => string): Links {
  const actor = (actorId: string): string => `${base()}/actors/v2/${actorId}`;
  return {
    get apiServer() {
      return base();
    },
    actor,
    profile: (user) => `${base()}/profiles/v2/${encodeURIComponent(user)}`,
    messages: (actorId) => `${actor(actorId)}/messages`,
    executions: (actorId) => `${actor(actorId)}/executions`,
    execution: (actorId, executionId) => `${actor(actorId)}/executions/${executionId}`,
    logs: (actorId, executionId) => `${actor(actorId)}/executions/${executionId}/logs`,
  };
}
