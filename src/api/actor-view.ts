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
  return { self: links.actor(id), owner: links.profile(owner), executions: links.executions(id) };
}

/** What is the actor's own, wherever it is shown. */
export function describeActor(actor: Actor, state: unknown): Attributes {
  return {
    id: actor.id,
    name: actor.name,
    image: actor.image,
    description: actor.description,
    stateless: actor.stateless,
    type: actor.type,
    link: actor.link,
    webhook: actor.webhook,
    token: actor.token,
    hints: actor.hints,
    privileged: actor.privileged,
    max_workers: actor.maxWorkers,
    mem_limit: actor.memLimit,
    max_cpus: actor.maxCpus,
    use_container_uid: actor.useContainerUid,
    default_environment: actor.defaultEnvironment,
    queue: actor.queue,
    log_ex: actor.logEx,
    cron_schedule: actor.cronSchedule,
    cron_on: actor.cronOn,
    cron_next_ex: actor.cronNextEx,
    state,
    status: actorStatusWords[actor.status],
    status_message: actor.statusMessage,
    owner: actor.owner,
    revision: actor.revision,
    mounts: actor.mounts.map(renderMount),
    uid: actor.uid,
    gid: actor.gid,
    tasdir: actor.tasdir,
    create_time: renderTime(actor.createTime),
    last_update_time: renderTime(actor.lastUpdateTime),
    ...optional('digest', actor.digest),
    ...optional('launcher', actor.launcher ?? undefined),
    ...optional('resources', renderResources(actor.resources)),
    ...optional('keep_scratch', actor.keepScratch),
  };
}

/** What its owner has set, as a request would say it; a token that comes from the configuration goes on to do so. */
export function describeSettings(actor: Actor): Attributes {
  const { token, ...settings } = describeActor(actor, null);
  return typeof token === 'string' ? settings : { ...settings, token };
}

function renderMount({ hostPath, containerPath, mode, nfs }: Actor['mounts'][number]): Attributes {
  return { host_path: nfs ? `nfs://${nfs.server}${hostPath}` : hostPath, container_path: containerPath, mode };
}

export function renderWait({ cause, since, owner, next, expected }: Wait, now: Date): Attributes {
  return {
    cause,
    since: renderTime(since),
    age_ms: Math.max(0, now.getTime() - since.getTime()),
    owner,
    next,
    ...optional('expected', expected && renderTime(expected)),
  };
}
