/** The registry: the records of actors, their states and how far a revision was prepared. Lives in Redis. */

import type { Grants } from '../auth/permission.ts';
import { worldUser } from '../auth/permission.ts';
import { readGrants } from '../auth/permission-store.ts';
import { ConflictError, NotFoundError } from '../errors.ts';
import type { Wait } from '../executions/execution.ts';
import { writeWait } from '../executions/execution-record.ts';
import type { RegistryRecord } from '../history/history.ts';
import { parseExactJson } from '../lib/exact-json.ts';
import { type ActorRef, createKeys, newsChannel } from '../mailbox/keys.ts';
import { createKnownActors, isSame } from '../mailbox/known-actors.ts';
import { createRunScript } from '../mailbox/scripts.ts';
import { throwRedisError } from '../storage/redis.ts';
import type { Actor } from './actor.ts';
import { type ActorListStore, type ActorListStoreOptions, createActorListStore } from './actor-list-store.ts';
import { type ActorDraft, writeActor } from './actor-record.ts';
import { createAliasStore } from './alias-store.ts';
import { createLinkStore } from './link-store.ts';

export interface ActorStore extends Pick<ActorListStore, 'refs' | 'count'> {
  /** @returns the actor as it stands: revision 1, submitted. */
  create(draft: ActorDraft): Promise<Actor>;
  /**
   * Replaces the record; `renew` makes it a new revision, whose image is prepared before a message runs. `user`, who does
   * it and is the owner unless told otherwise, may UPDATE it from then on. `versions` are those of the record it may
   * replace; none given is any.
   */
  replace(draft: ActorDraft, renew: boolean, user?: string, versions?: readonly number[]): Promise<Actor | 'stale'>;
  /** Nothing when the tenant has no such actor. One being deleted is still there, `shutting_down`. */
  get(tenant: string, actorId: string): Promise<Actor | undefined>;
  /** With what the permissions of the actor say of `user`: one round for both. */
  getShared(tenant: string, actorId: string, user: string): Promise<SharedActor | undefined>;
  /** Those in whose permissions `user` stands, or everybody, the oldest first; of others nothing is read. */
  listShared(tenant: string, user: string, options: ListOptions): Promise<SharedListing>;
  /** Numbers keep their digits (`parseExactJson`). */
  state(actor: ActorRef): Promise<unknown>;
  /** The same as it was sent. */
  stateJson(actor: ActorRef): Promise<string>;
  /** @returns the new version of the state, which is valid JSON. */
  setState(
    actor: ActorRef,
    stateJson: string,
    options?: StateOptions,
  ): Promise<number | 'stateless' | 'gone' | 'ended' | 'stale'>;
  /**
   * First call: no more messages. It is `deleted` once nothing waits and nothing is held. `versions` are those of the record
   * that may be deleted; none given is any.
   */
  remove(actor: ActorRef, versions?: readonly number[]): Promise<'deleted' | 'busy' | 'gone' | 'stale'>;
  markReady(actor: ActorRef, revision: number, digest: string): Promise<'marked' | 'stale'>;
  markError(actor: ActorRef, revision: number, message: string): Promise<'marked' | 'stale'>;
  markWaiting(actor: ActorRef, revision: number, wait: Wait): Promise<'marked' | 'stale'>;
  /** Moves its schedule on from the time it was read at, unless somebody else did. */
  advanceSchedule(actor: Actor, next: string): Promise<'advanced' | 'changed'>;
  /** What the history is owed of the actor as it stands. */
  registryRecord(actor: ActorRef, version: number): Promise<RegistryRecord>;
  /** Takes a deleted actor out of lists, configs and links, with its permissions and aliases. Again is a no-op. */
  release(actor: ActorRef): Promise<void>;
  /** Takes a deleted actor of which nothing is left out of the tenant's list. */
  forget(actor: ActorRef): Promise<void>;
}

export interface StateOptions {
  /** Sent with that execution's token: counts only while it lives. */
  readonly executionId?: string;
  /** Those of the state that may be replaced; none given is any. */
  readonly versions?: readonly number[];
}

export interface SharedActor {
  readonly actor: Actor;
  readonly grants: Grants;
}

export interface ListOptions {
  /** The newest are kept; of those that are older nothing is read. */
  readonly most: number;
  readonly wanted: (shared: SharedActor) => boolean;
}

export interface SharedListing {
  readonly shared: readonly (SharedActor & { readonly state: unknown })[];
  /** How many there are, also those not wanted. */
  readonly total: number;
}

/** Actors read at once for a listing: the commands go out together and are answered together. */
const readAtOnce = 500;

export function createActorStore(options: ActorListStoreOptions): ActorStore {
  const { redis, prefix } = options;
  const keys = createKeys(prefix);
  const run = createRunScript(redis);
  const lists = createActorListStore(options);
  const aliases = createAliasStore({ redis, prefix });
  const links = createLinkStore({ redis, prefix });
  const known = createKnownActors(redis);

  async function get(tenant: string, actorId: string): Promise<Actor | undefined> {
    const key = keys.of({ tenant, actorId }).actor;
    const before = known.get(key);
    if (before) {
      const counted = await redis.hmget(key, 'version', 'stateVersion', 'status').catch(throwRedisError);
      if (isSame(before, counted)) return before.actor;
    }
    const answer = await redis.hgetallBuffer(key).catch(throwRedisError);
    return known.keep(key, new Map(Object.entries(answer)));
  }

  async function getShared(tenant: string, actorId: string, user: string): Promise<SharedActor | undefined> {
    const { permissions } = keys.of({ tenant, actorId });
    const levels = redis.hmget(permissions, user, worldUser).catch(throwRedisError);
    const [actor, grants] = await Promise.all([get(tenant, actorId), levels]);
    return actor && { actor, grants: readGrants(grants) };
  }

  async function save(
    draft: ActorDraft,
    mode: 'create' | 'replace' | 'renew',
    user: string,
    versions?: readonly number[],
  ): Promise<Actor | 'stale'> {
    const actor = { tenant: draft.tenant, actorId: draft.id };
    const of = keys.of(actor);
    await lists.share(actor, user);
    if (draft.link !== '') await links.add(actor, draft.link);
    const answer = await run(
      'save-actor',
      [of.actor, of.outbox, of.permissions],
      [
        newsChannel(prefix, actor),
        mode,
        writeActor(draft),
        draft.stateless ? '1' : '0',
        draft.maxWorkers ?? '',
        draft.owner,
        user,
        draft.link,
        draft.webhook,
        draft.cronSchedule ?? '',
        draft.cronNextEx ?? '',
        writeVersions(versions),
      ],
    );
    if (draft.link !== '') await links.add(actor, draft.link);
    if (String(answer) === 'stale') return 'stale';
    if (typeof answer === 'number') return (await get(draft.tenant, draft.id)) ?? notFound(draft.id);
    if (String(answer) === 'used-id') throw new ConflictError('actor.invalid', `Actor "${draft.id}" exists already`);
    return notFound(draft.id);
  }

  async function mark(
    actor: ActorRef,
    revision: number,
    status: 'ready' | 'error' | 'submitted',
    what: { readonly message?: string; readonly digest?: string; readonly wait?: Wait },
  ): Promise<'marked' | 'stale'> {
    const of = keys.of(actor);
    const answer = await run(
      'mark-actor',
      [of.actor, of.outbox, of.linkEvents, of.webhookEvents],
      [
        newsChannel(prefix, actor),
        revision,
        status,
        what.message ?? '',
        what.digest ?? '',
        what.wait ? writeWait(what.wait) : '',
      ],
    );
    return String(answer) as 'marked' | 'stale';
  }

  async function stateOf(actor: ActorRef): Promise<unknown> {
    return parseExactJson(await stateJsonOf(actor));
  }

  async function stateJsonOf(actor: ActorRef): Promise<string> {
    return (await redis.get(keys.of(actor).state).catch(throwRedisError)) ?? '{}';
  }

  async function release(actor: ActorRef): Promise<void> {
    const { permissions } = keys.of(actor);
    await lists.unlist(actor, await redis.hkeys(permissions).catch(throwRedisError));
    await aliases.removeAllOf(actor);
    const { tenant, actorId } = actor;
    await run('forget-in-configs', [keys.configActors(tenant), keys.configsOf(tenant)], [actorId]);
    await links.release(actor);
    await redis.del(permissions).catch(throwRedisError);
  }

  return {
    get,
    getShared,
    refs: async (tenant) => await lists.refs(tenant),
    count: async () => await lists.count(),
    state: stateOf,
    stateJson: stateJsonOf,

    async create(draft) {
      await lists.add({ tenant: draft.tenant, actorId: draft.id }, draft.owner);
      const created = await save(draft, 'create', draft.owner);
      if (created === 'stale') throw new TypeError('Nothing is newer than what is not there');
      await lists.countRegistered();
      return created;
    },

    async replace(draft, renew, user = draft.owner, versions) {
      return await save(draft, renew ? 'renew' : 'replace', user, versions);
    },

    async listShared(tenant, user, { most: mostListed, wanted }) {
      const newest = await lists.sharedWith(tenant, user);
      const found: (SharedActor & { readonly state: unknown })[] = [];
      for (let from = 0; from < newest.length && found.length < mostListed; from += readAtOnce) {
        const read = newest.slice(from, from + readAtOnce).map(async (actorId) => {
          const [shared, state] = await Promise.all([getShared(tenant, actorId, user), stateOf({ tenant, actorId })]);
          return shared && { ...shared, state };
        });
        for (const shared of await Promise.all(read)) if (shared && wanted(shared)) found.push(shared);
      }
      const shared = found
        .slice(0, mostListed)
        .toSorted((one, other) => one.actor.createTime.getTime() - other.actor.createTime.getTime());
      return { shared, total: newest.length };
    },

    async setState(actor, stateJson, { executionId, versions } = {}) {
      const of = keys.of(actor);
      const answer = await run(
        'set-state',
        [of.actor, of.state, of.execution(executionId ?? ''), of.outbox],
        [newsChannel(prefix, actor), stateJson, executionId === undefined ? '0' : '1', writeVersions(versions)],
      );
      return typeof answer === 'number' ? answer : (String(answer) as 'stateless' | 'gone' | 'ended' | 'stale');
    },

    async remove(actor, versions) {
      const of = keys.of(actor);
      const answer = await run(
        'delete-actor',
        [of.actor, of.mailbox, of.held, of.state, of.outbox, of.nonces],
        [newsChannel(prefix, actor), writeVersions(versions)],
      );
      return String(answer) as 'deleted' | 'busy' | 'gone' | 'stale';
    },

    async markReady(actor, revision, digest) {
      // The contract has one blank as the message of an actor that became ready.
      return await mark(actor, revision, 'ready', { message: ' ', digest });
    },

    async markError(actor, revision, message) {
      return await mark(actor, revision, 'error', { message });
    },

    async markWaiting(actor, revision, wait) {
      return await mark(actor, revision, 'submitted', { message: wait.cause, wait });
    },

    async advanceSchedule({ tenant, id, cronSchedule, cronNextEx }, next) {
      const actor = { tenant, actorId: id };
      const of = keys.of(actor);
      const args = [newsChannel(prefix, actor), cronSchedule ?? '', cronNextEx ?? '', next];
      const answer = await run('advance-schedule', [of.actor, of.outbox], args);
      return String(answer) as 'advanced' | 'changed';
    },

    async registryRecord(actor, version) {
      const fields = await redis.hgetall(keys.of(actor).actor).catch(throwRedisError);
      const gone = fields['status'] === undefined || fields['status'] === 'deleted';
      const base = { tenant: actor.tenant, kind: 'actor', id: actor.actorId, version } as const;
      if (gone) return { ...base, record: null };
      const of = keys.of(actor);
      const [state, permissions, names] = await Promise.all([
        redis.get(of.state).catch(throwRedisError),
        redis.hgetall(of.permissions).catch(throwRedisError),
        aliases.namesOf(actor),
      ]);
      return { ...base, record: { ...fields, state, permissions, aliases: names } };
    },

    release,

    async forget(actor) {
      await release(actor);
      await lists.remove(actor);
    },
  };
}

/** As scripts read them. An empty list has none, which is not the same as no list. */
function writeVersions(versions: readonly number[] | undefined): string {
  if (!versions) return '';
  return versions.length === 0 ? '-' : versions.join(' ');
}

function notFound(actorId: string): never {
  throw new NotFoundError('actor.not_found', `Actor "${actorId}" does not exist`);
}
