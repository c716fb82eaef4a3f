/** Body of `abaco launchers dry-run`: the script of an actor, and what a scheduler would say to it. */

import type { Actor } from './actors/actor.ts';
import { fillResources, policyProblem } from './actors/resource-policy.ts';
import { planActorSettings, whatActor } from './api/actor-settings.ts';
import { readResources } from './api/resources-field.ts';
import { anonymous } from './auth/caller.ts';
import { attribute, isRecord, type Json, readText } from './client/answer.ts';
import { actorsPath, createHttp } from './client/http.ts';
import type { LoadedConfig } from './config/load.ts';
import { InvalidError } from './errors.ts';
import { capabilityProblem } from './launcher/check-capabilities.ts';
import type { DryRun, LaunchSpec } from './launcher/launcher.ts';
import { chooseLauncher } from './launcher/launcher-table.ts';
import { optional } from './lib/optional.ts';
import { withLauncher } from './main.ts';
import type { Logger } from './observability/logger.ts';
import { planLimits, siteLimits } from './workers/launch-spec.ts';

export interface DryRunFlags {
  readonly image?: string;
  readonly user?: string;
  readonly queue?: string;
  readonly launcher?: string;
  /** "nodes=2", "walltime=01:00:00". */
  readonly resources: readonly string[];
  /** Where the service of the actor listens. */
  readonly url: string;
  readonly tenant?: string;
  readonly token?: string;
}

export interface DryRunOptions {
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  readonly actorId: string | undefined;
  readonly flags: DryRunFlags;
}

export interface Rehearsal extends Partial<DryRun> {
  readonly launcher: string;
  /** Why it would not be taken, before a scheduler is asked. */
  readonly problem?: string;
}

/** Starts nothing and keeps nothing, here or there. */
export async function rehearse({ loaded, log, actorId, flags }: DryRunOptions): Promise<Rehearsal> {
  const { config } = loaded;
  const actor = actorId === undefined ? {} : await readActor(actorId, flags);
  const image = flags.image ?? readText(actor, 'image');
  if (image === undefined) throw invalid('Name an actor, or an image with --image');
  const given = attribute(actor, 'resources');
  const tenant = flags.tenant ?? config.auth.defaultTenant;
  const settings = planActorSettings(
    {
      image,
      queue: flags.queue ?? readText(actor, 'queue') ?? 'default',
      launcher: flags.launcher ?? readText(actor, 'launcher') ?? null,
      mem_limit: readText(actor, 'mem_limit') ?? null,
      max_cpus: Number(attribute(actor, 'max_cpus') ?? Number.NaN) || null,
      resources: { ...(isRecord(given) ? given : {}), ...readPairs(flags.resources) },
    },
    config,
    tenant,
  );
  const { queue, resources } = settings;
  const policy = config.queues[queue];
  const name = chooseLauncher(settings, { queues: config.queues, defaultLauncher: config.service.defaultLauncher });
  const wanted = policy ? fillResources(resources, policy) : resources;
  const owner = flags.user ?? readText(actor, 'owner') ?? anonymous;
  return await withLauncher({ loaded, log, name }, async (launcher): Promise<Rehearsal> => {
    const limits = planLimits(settings, siteLimits(config), launcher.capabilities.queues);
    const health = await launcher.probe(AbortSignal.timeout(20_000));
    const problem =
      (health.ok ? undefined : `launcher "${name}" is not well: ${health.detail}`) ??
      capabilityProblem(resources, launcher) ??
      (policy && policyProblem(resources, queue, policy)) ??
      launcher.check?.({ owner, resources: wanted, limits });
    if (!health.ok || !launcher.dryRun) return { launcher: name, ...optional('problem', problem ?? noScheduler(name)) };
    const spec: LaunchSpec = {
      executionId: 'rehearsal',
      attempt: 1,
      owner,
      tenant,
      actorId: actorId ?? 'none',
      // Nothing is prepared: neither the command of an image nor its digest is known before that.
      image: { name: image, digest: readText(actor, 'digest') ?? unprepared, argv: ['PROGRAM'] },
      environment: {},
      privileged: false,
      mounts: mountsOf(actor),
      limits,
      resources: wanted,
      notAfter: new Date(Date.now() + config.executions.notAfterMs),
    };
    const dry = await launcher.dryRun(spec, AbortSignal.timeout(60_000));
    return { launcher: name, ...optional('problem', problem), ...dry };
  });
}

const unprepared = `sha256:${'0'.repeat(64)}`;

export function renderRehearsal({ launcher, problem, files = {}, answer, accepted }: Rehearsal): string {
  const scripts = Object.entries(files).map(([name, text]) => `--- ${name}\n${text}\n`);
  const verdict = answer === undefined ? '' : `${accepted === true ? 'ok  ' : 'FAIL'} scheduler: ${answer}\n`;
  const check =
    problem === undefined ? `ok   ${launcher}: nothing known speaks against it\n` : `FAIL ${launcher}: ${problem}\n`;
  return `${scripts.join('')}${check}${verdict}`;
}

async function readActor(actorId: string, { url, tenant, token }: DryRunFlags): Promise<Json> {
  const http = createHttp({ url, ...optional('tenant', tenant), ...optional('token', token) });
  const found = await http.result({ path: actorsPath(actorId) });
  return isRecord(found) ? found : {};
}

function mountsOf(actor: Json): Actor['mounts'] {
  const mounts = attribute(actor, 'mounts');
  return (Array.isArray(mounts) ? mounts : []).filter(isRecord).map((mount) => ({
    hostPath: readText(mount, 'host_path') ?? '/',
    containerPath: readText(mount, 'container_path') ?? '/',
    mode: readText(mount, 'mode') === 'rw' ? 'rw' : 'ro',
  }));
}

function readPairs(pairs: readonly string[]): Readonly<Record<string, unknown>> {
  const read = Object.fromEntries(
    pairs.map((pair) => {
      const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
      if (key === '') throw invalid(`Resource "${pair}" is not written as name=value`);
      return [key, value];
    }),
  );
  // Names and values are refused before anything else is looked at.
  readResources(read, whatActor);
  return read;
}

function noScheduler(name: string): string {
  return `launcher "${name}" hands nothing to a scheduler, so there is nothing to rehearse`;
}

function invalid(message: string): InvalidError {
  return new InvalidError('request.invalid', message);
}
