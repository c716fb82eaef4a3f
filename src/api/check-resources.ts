/** Whether the launcher of an actor can give what the actor asks for, as far as anybody knows when it is registered. */

import { type ActorSettings } from '../actors/actor.ts';
import { fillResources, policyProblem } from '../actors/resource-policy.ts';
import type { Config } from '../config/schema.ts';
import { InvalidError } from '../errors.ts';
import { capabilityProblem } from '../launcher/check-capabilities.ts';
import { chooseLauncher, type LauncherTable } from '../launcher/launcher-table.ts';
import { type LimitSettings, planLimits, siteLimits } from '../workers/launch-spec.ts';
import { whatActor } from './actor-settings.ts';

interface Places {
  readonly config: Pick<Config, 'queues' | 'service'> & LimitSettings;
  readonly launchers: LauncherTable;
}

/**
 * Throws `InvalidError` for what the launcher has not, the queue does not allow, or its cluster last said no to. An actor
 * that asks for nothing is given what its queue has, within the limits of its containers: its cluster is asked alike.
 */
export function checkResources(
  settings: Pick<ActorSettings, 'resources' | 'queue' | 'launcher' | 'memLimit' | 'maxCpus'>,
  owner: string,
  { config, launchers }: Places,
): void {
  const { resources, queue } = settings;
  const { queues, service } = config;
  const name = chooseLauncher(settings, { queues, defaultLauncher: service.defaultLauncher });
  const launcher = launchers.byName(name)?.launcher;
  const policy = queues[queue];
  const problem =
    (launcher && capabilityProblem(resources, launcher)) ??
    (policy && policyProblem(resources, queue, policy)) ??
    launcher?.check?.({
      owner,
      resources: policy ? fillResources(resources, policy) : resources,
      limits: planLimits(settings, siteLimits(config), launcher.capabilities.queues),
    });
  if (problem !== undefined) throw new InvalidError('actor.invalid', `${whatActor}: resources: ${problem}`);
}
