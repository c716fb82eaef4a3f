/** An actor as clients see it (contract §7.1). */

import type { Actor } from '../actors/actor.ts';
import type { Wait } from '../executions/execution.ts';
import { optional } from '../lib/optional.ts';
import type { Links } from './links.ts';
import { renderResources } from './resources-field.ts';
import { type Attributes, actorStatusWords, renderTime } from './wire.ts';

export interface ActorViewOptions {
  readonly state: unknown;
  readonly links: Links;
  readonly now: Date;
}

export function renderActor(actor: Actor, { state, links, now }: ActorViewOptions): Attributes {
  return {
    _links: linksOfActor(actor, links),
    ...describeActor(actor, state),
    ...optional('wait', actor.wait && renderWait(actor.wait, now)),
  };
}

export function linksOfActor({ id, owner }: Pick<Actor, 'id' | 'owner'>, links: Links): Attributes {
  return { executions: links.executions(id), owner: links.profile(owner), self: links.actor(id) };
}

/** An actor is the same object for as long as nothing about it changes. */
const described = new WeakMap<Actor, Attributes>();

/** What is the actor's own, wherever it is shown; sorted by name, as it is sent. */
export function describeActor(actor: Actor, state: unknown): Attributes {
  let own = described.get(actor);
  if (!own) described.set(actor, (own = describe(actor)));
  return { ...own, state };
}

function describe(actor: Actor): Attributes {
  return {
    create_time: renderTime(actor.createTime),
    cron_next_ex: actor.cronNextEx,
    cron_on: actor.cronOn,
    cron_schedule: actor.cronSchedule,
    default_environment: actor.defaultEnvironment,
    description: actor.description,
    ...optional('digest', actor.digest),
    gid: actor.gid,
    hints: actor.hints,
    id: actor.id,
    image: actor.image,
    ...optional('keep_scratch', actor.keepScratch),
    last_update_time: renderTime(actor.lastUpdateTime),
    ...optional('launcher', actor.launcher ?? undefined),
    link: actor.link,
    log_ex: actor.logEx,
    max_cpus: actor.maxCpus,
    max_workers: actor.maxWorkers,
    mem_limit: actor.memLimit,
    mounts: actor.mounts.map(renderMount),
    name: actor.name,
    owner: actor.owner,
    privileged: actor.privileged,
    queue: actor.queue,
    ...optional('resources', renderResources(actor.resources)),
    revision: actor.revision,
    // Its place among the others.
    state: undefined,
    stateless: actor.stateless,
    status: actorStatusWords[actor.status],
    status_message: actor.statusMessage,
    tasdir: actor.tasdir,
    token: actor.token,
    type: actor.type,
    uid: actor.uid,
    use_container_uid: actor.useContainerUid,
    webhook: actor.webhook,
  };
}

/** What its owner has set, as a request would say it; a token that comes from the configuration goes on to do so. */
export function describeSettings(actor: Actor): Attributes {
  const { token, ...settings } = describeActor(actor, null);
  return typeof token === 'string' ? settings : { ...settings, token };
}

function renderMount({ hostPath, containerPath, mode, nfs }: Actor['mounts'][number]): Attributes {
  return { container_path: containerPath, host_path: nfs ? `nfs://${nfs.server}${hostPath}` : hostPath, mode };
}

export function renderWait({ cause, since, owner, next, expected }: Wait, now: Date): Attributes {
  return {
    age_ms: Math.max(0, now.getTime() - since.getTime()),
    cause,
    ...optional('expected', expected && renderTime(expected)),
    next,
    owner,
    since: renderTime(since),
  };
}
