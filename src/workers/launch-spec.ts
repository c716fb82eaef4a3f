/** What a launcher is told of one attempt, from the actor, the message and the site's limits. */

import type { Actor } from '../actors/actor.ts';
import type { ConfigValue } from '../actors/config.ts';
import { parseMemory } from '../actors/memory.ts';
import type { RunAs } from '../auth/run-as.ts';
import type { Config } from '../config/schema.ts';
import type { Blobs } from '../executions/blobs.ts';
import { buildEnvironment } from '../executions/environment.ts';
import type { Body, Claimed } from '../executions/execution.ts';
import type { ValueText } from '../executions/value-text.ts';
import type {
  AttemptRef,
  BinaryMessage,
  LauncherCapabilities,
  LaunchLimits,
  LaunchSpec,
  PreparedImage,
} from '../launcher/launcher.ts';
import { asksForNothing, type Resources } from '../launcher/resources.ts';
import { optional } from '../lib/optional.ts';

/** The site's limits; an actor's own stand over memory and processors. */
export interface SiteLimits {
  readonly memoryBytes: number | undefined;
  readonly nanoCpus: number | undefined;
  readonly pids: number | undefined;
  readonly maxRunTimeMs: number | undefined;
  readonly graceMs: number;
  readonly logBytes: number;
  readonly resultBytes: number;
  readonly resultTotalBytes: number;
  readonly resultCount: number;
}

/** Where they stand in the configuration. */
export type LimitSettings = Pick<Config, 'limits' | 'executions' | 'logs' | 'results'>;

export function siteLimits({ limits, executions, logs, results }: LimitSettings): SiteLimits {
  return {
    memoryBytes: limits.memoryBytes ?? undefined,
    nanoCpus: limits.nanoCpus ?? undefined,
    pids: limits.pids ?? undefined,
    maxRunTimeMs: executions.maxRunTimeMs ?? undefined,
    graceMs: executions.graceMs,
    logBytes: logs.maxBytes,
    resultBytes: results.maxBytes,
    resultTotalBytes: results.maxTotalBytes,
    resultCount: results.maxCount,
  };
}

export interface SpecInputs {
  readonly actor: Actor;
  readonly claimed: Claimed;
  readonly attempt: AttemptRef;
  readonly image: PreparedImage;
  readonly stateJson: string;
  readonly configs: readonly ConfigValue[];
  readonly accessToken: string;
  readonly apiServer: string;
  readonly valueText: ValueText;
  readonly notAfter: Date;
  readonly limits: SiteLimits;
  /** What the actor asks for, with what its queue gives. */
  readonly resources: Resources;
  /** Whether the launcher hands work to one, to which `resources` go. */
  readonly hasScheduler: boolean;
  readonly blobs: Pick<Blobs, 'open'>;
}

/** What of it depends on the owner, and is worked out anew before each start. */
export type OwnerSpec = Pick<LaunchSpec, 'user' | 'groups' | 'mounts'>;

/** What stays the same however often a start is tried. */
export type MessageSpec = Omit<LaunchSpec, keyof OwnerSpec>;

export async function buildLaunchSpec(inputs: SpecInputs): Promise<MessageSpec> {
  const { actor, claimed, attempt } = inputs;
  const { message } = claimed;
  const binary = message.contentType === 'application/octet-stream';
  const text = binary ? undefined : await readText(message.body, inputs.blobs);
  const environment = buildEnvironment({
    actor,
    execution: claimed.execution,
    message,
    stateJson: inputs.stateJson,
    configs: inputs.configs,
    workerId: claimed.lease.workerId,
    accessToken: inputs.accessToken,
    apiServer: inputs.apiServer,
    valueText: inputs.valueText,
    ...optional('text', text),
  });
  return {
    executionId: attempt.executionId,
    attempt: attempt.attempt,
    owner: actor.owner,
    tenant: actor.tenant,
    actorId: actor.id,
    image: inputs.image,
    environment,
    privileged: actor.privileged,
    limits: planLimits(actor, inputs.limits, inputs.hasScheduler),
    ownLimits: ownLimits(actor),
    ...(asksForNothing(inputs.resources) ? {} : { resources: inputs.resources }),
    notAfter: inputs.notAfter,
    ...optional('binaryMessage', binary ? binaryMessage(message.body, inputs.blobs) : undefined),
    ...optional('keepScratch', actor.keepScratch),
  };
}

/** Contract §9.4: the image's user when the actor asks for it, but not where programs run as the owner of the actor. */
export function ownerSpec(
  { useContainerUid }: Pick<Actor, 'useContainerUid'>,
  runAs: RunAs,
  { asOwner }: Pick<LauncherCapabilities, 'asOwner'>,
): OwnerSpec {
  const isImages = useContainerUid && !asOwner;
  return {
    mounts: runAs.mounts,
    ...optional('user', isImages ? undefined : userOf(runAs)),
    ...(isImages || runAs.groups.length === 0 ? {} : { groups: runAs.groups }),
  };
}

/**
 * The contract's rule (§9.8): the actor's own limit, else the site's; -1 is none. Where no scheduler is asked, `resources`
 * are limits like these, and can only take away: only those who may set `mem_limit` get more than the site gives.
 */
export function planLimits(
  actor: Pick<Actor, 'memLimit' | 'maxCpus' | 'resources'>,
  site: SiteLimits,
  hasScheduler: boolean,
): LaunchLimits {
  const memory = actor.memLimit === null ? site.memoryBytes : parseMemory(actor.memLimit);
  const nanoCpus = actor.maxCpus ?? site.nanoCpus;
  const { memoryBytesPerNode, cpusPerTask, walltimeMs }: Resources = hasScheduler ? {} : actor.resources;
  const most = nanoCpus === undefined || nanoCpus < 0 ? undefined : nanoCpus;
  return {
    ...optional('memoryBytes', smaller(memory, memoryBytesPerNode)),
    ...optional('nanoCpus', smaller(most, cpusPerTask === undefined ? undefined : cpusPerTask * 1e9)),
    ...optional('pids', site.pids),
    ...optional('timeMs', smaller(site.maxRunTimeMs, walltimeMs)),
    graceMs: site.graceMs,
    logBytes: site.logBytes,
    resultBytes: site.resultBytes,
    resultTotalBytes: site.resultTotalBytes,
    resultCount: site.resultCount,
  };
}

/** By which attributes an actor itself asks for limits of memory and processors; -1 asks for none. */
export function ownLimits({
  memLimit,
  maxCpus,
  resources,
}: Pick<Actor, 'memLimit' | 'maxCpus' | 'resources'>): string[] {
  const asked = {
    mem_limit: memLimit !== null && parseMemory(memLimit) !== undefined,
    max_cpus: maxCpus !== null && maxCpus >= 0,
    memory: resources.memoryBytesPerNode !== undefined,
    cpus: resources.cpusPerTask !== undefined,
  };
  return Object.entries(asked).flatMap(([name, isAsked]) => (isAsked ? [name] : []));
}

/** Nothing given is no limit. */
function smaller(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** Uid and gid, where they are known. */
export function userOf({ uid, gid }: Pick<RunAs, 'uid' | 'gid'>): string | undefined {
  if (uid === null) return undefined;
  return gid === null ? uid : `${uid}:${gid}`;
}

function binaryMessage(body: Body, blobs: Pick<Blobs, 'open'>): BinaryMessage {
  if ('inline' in body) {
    return {
      bytes: body.inline.byteLength,
      open: async function* () {
        yield body.inline;
      },
    };
  }
  return { bytes: body.bytes, open: () => blobs.open(body.blob) };
}

async function readText(body: Body, blobs: Pick<Blobs, 'open'>): Promise<string> {
  if ('inline' in body) return Buffer.from(body.inline).toString();
  const chunks: Uint8Array[] = [];
  for await (const chunk of blobs.open(body.blob)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
