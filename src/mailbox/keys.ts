/**
 * Every key name, in one place. What concerns one actor shares the hash tag `{tenant:actorId}`, so that one script can
 * change mailbox, execution and the actor's own record in one step, also in a cluster.
 */

export interface ActorRef {
  readonly tenant: string;
  readonly actorId: string;
}

/** The channel on which scripts say what happens to an actor. A hint: who misses it finds out at the next sweep. */
export function newsChannel(prefix: string, actor: ActorRef): string {
  return `${prefix}:news:${actor.tenant}:${actor.actorId}`;
}

/** What has permissions and nonces of its own, beside its record. */
export interface SharedKeys {
  /** Hash: user → level as a number. */
  readonly permissions: string;
  /** Hash: nonces by the digest of their id, with their counts. */
  readonly nonces: string;
}

export interface Keys {
  readonly installation: string;
  /** Id of the blob directory that every process sees. */
  readonly blobDirectory: string;
  readonly tenants: string;
  /** Set: tenants whose links are all found by `linksTo`, those of before it too. */
  readonly linkedTenants: string;
  readonly processNumbers: string;
  /** Sorted set: executions whose results may be blobs, by when nobody can read them any more (ms). */
  readonly resultBlobs: string;
  /** How many actors were ever registered. */
  readonly registered: string;
  /** Sorted set: every worker there is, by when it was last said to live (ms). */
  readonly workers: string;
  actorsOf(tenant: string): string;
  /** Set: actors that the user has registered. */
  ownedBy(tenant: string, user: string): string;
  /** Until when the requests of a tenant, and of a user of it, would have filled their limit. */
  turns(tenant: string): { readonly tenant: string; of(user: string): string };
  /** Set: actors in whose permissions the user stands, at any level; a hint, the actors' own maps decide. */
  sharedWith(tenant: string, user: string): string;
  /** Hash: alias → its record. */
  aliases(tenant: string): string;
  /** Set: aliases of one actor. */
  aliasesOf(actor: ActorRef): string;
  alias(tenant: string, alias: string): SharedKeys;
  /** Sorted set: `<id or alias> NUL <actor>`, all of the same rank: who may be linked to a name is found by it. */
  linksTo(tenant: string): string;
  /** Hash: config → its record. */
  configs(tenant: string): string;
  /** Hash: config → ids and aliases of the actors it is for, separated by commas. */
  configActors(tenant: string): string;
  /** Sorted set: `<id or alias> NUL <config>`, all of the same rank: the configs of one are found by its name. */
  configsOf(tenant: string): string;
  config(tenant: string, name: string): SharedKeys;
  of(actor: ActorRef): ActorKeys;
}

export interface ActorKeys extends SharedKeys {
  /** Hash: the record and its counters. */
  readonly actor: string;
  readonly state: string;
  /** Sorted set: waiting execution ids by their place. */
  readonly mailbox: string;
  /** Sorted set: leased execution ids by the time their lease runs out (ms). */
  readonly held: string;
  /** Sorted set: what the history is still owed, by the order it came about. */
  readonly outbox: string;
  /** Hash: attempts whose container is still to be removed → launcher. */
  readonly cleanup: string;
  /** List: events its link is still owed, in the order they came about. */
  readonly linkEvents: string;
  /** List: the same for its webhook. */
  readonly webhookEvents: string;
  /**
   * Hash: for which target and execution an event of it is meant (`to:<number>`), up to which number its events to a link
   * are for nobody (`freed:<link>`), and up to which it has heard causes (`from:<cause>`).
   */
  readonly causes: string;
  /** Held while one process posts an event to the webhook. */
  webhookTurn(event: number): string;
  /** Hash: records of the workers that serve it. */
  readonly workers: string;
  /** Prefix of the execution hashes. */
  readonly executions: string;
  execution(executionId: string): string;
  /** List: results of an execution in the order sent. */
  results(executionId: string): string;
  /** Number of results that were read. */
  resultsRead(executionId: string): string;
  idempotency(digest: string): string;
}

export function createKeys(prefix: string): Keys {
  return {
    installation: `${prefix}:installation`,
    blobDirectory: `${prefix}:blobs`,
    tenants: `${prefix}:tenants`,
    linkedTenants: `${prefix}:tenants:linked`,
    processNumbers: `${prefix}:process`,
    resultBlobs: `${prefix}:result-blobs`,
    registered: `${prefix}:registered`,
    workers: `${prefix}:workers`,
    actorsOf: (tenant) => `${prefix}:{${tenant}}:actors`,
    ownedBy: (tenant, user) => `${prefix}:{${tenant}}:owned:${user}`,
    turns: (tenant) => ({
      tenant: `${prefix}:{${tenant}}:turns`,
      of: (user) => `${prefix}:{${tenant}}:turns:${user}`,
    }),
    sharedWith: (tenant, user) => `${prefix}:{${tenant}}:shared:${user}`,
    aliases: (tenant) => `${prefix}:{${tenant}}:aliases`,
    aliasesOf: ({ tenant, actorId }) => `${prefix}:{${tenant}}:aliases:${actorId}`,
    alias: (tenant, alias) => sharedKeys(`${prefix}:{${tenant}}:alias:${alias}`),
    linksTo: (tenant) => `${prefix}:{${tenant}}:links`,
    configs: (tenant) => `${prefix}:{${tenant}}:configs`,
    configActors: (tenant) => `${prefix}:{${tenant}}:configs:actors`,
    configsOf: (tenant) => `${prefix}:{${tenant}}:configs:of`,
    config: (tenant, name) => sharedKeys(`${prefix}:{${tenant}}:config:${name}`),
    of: (actor) => actorKeys(`${prefix}:{${actor.tenant}:${actor.actorId}}`),
  };
}

function sharedKeys(base: string): SharedKeys {
  return { permissions: `${base}:permissions`, nonces: `${base}:nonces` };
}

function actorKeys(base: string): ActorKeys {
  return {
    ...sharedKeys(base),
    actor: `${base}:actor`,
    state: `${base}:state`,
    mailbox: `${base}:mailbox`,
    held: `${base}:held`,
    outbox: `${base}:outbox`,
    cleanup: `${base}:cleanup`,
    linkEvents: `${base}:events:link`,
    webhookEvents: `${base}:events:webhook`,
    causes: `${base}:causes`,
    webhookTurn: (event) => `${base}:turn:${event}`,
    workers: `${base}:workers`,
    executions: `${base}:x:`,
    execution: (executionId) => `${base}:x:${executionId}`,
    results: (executionId) => `${base}:r:${executionId}`,
    resultsRead: (executionId) => `${base}:rr:${executionId}`,
    idempotency: (digest) => `${base}:i:${digest}`,
  };
}
