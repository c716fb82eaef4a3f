/** Whether an image is one that its tenant may use, and its launcher can run. */

import type { Config } from '../config/schema.ts';
import { InvalidError } from '../errors.ts';
import { limitProblem } from '../launcher/check-capabilities.ts';
import { checkImagePolicy } from '../launcher/image-policy.ts';
import { type ImageSourceKind, parseImageSource } from '../launcher/image-source.ts';
import { chooseLauncher, type LauncherTable } from '../launcher/launcher-table.ts';

interface Places {
  readonly config: Pick<Config, 'queues' | 'service' | 'tenants'>;
  readonly launchers: LauncherTable;
}

type Settings = Parameters<typeof chooseLauncher>[0] & {
  readonly image: string;
  readonly memLimit: string | null;
  readonly maxCpus: number | null;
};

const sourceNames: Readonly<Record<ImageSourceKind, string>> = {
  registry: 'images of registries',
  oras: 'SIFs of registries ("oras://")',
  engine: 'images of an engine ("docker-daemon:")',
  file: 'SIFs by their path',
};

/** Throws `ForbiddenError` for an image that the site denies the tenant, `InvalidError` for what its launcher cannot do. */
export function checkImage(tenant: string, settings: Settings, { config, launchers }: Places): void {
  checkImagePolicy(tenant, settings.image, config.tenants[tenant]);
  const name = chooseLauncher(settings, { queues: config.queues, defaultLauncher: config.service.defaultLauncher });
  const { imageSources = ['registry'], resourceLimits } = launchers.byName(name)?.launcher.capabilities ?? {};
  const { kind } = parseImageSource(settings.image);
  if (!imageSources.includes(kind)) {
    const known = imageSources.map((source) => sourceNames[source]).join(', ');
    throw invalid(`launcher "${name}" does not run ${sourceNames[kind]}; it runs ${known}`);
  }
  const { memLimit, maxCpus } = settings;
  const problem = limitProblem({ mem_limit: memLimit, max_cpus: maxCpus }, { name, resourceLimits });
  if (problem !== undefined) throw invalid(problem);
}

function invalid(reason: string): InvalidError {
  return new InvalidError('actor.invalid', `Invalid actor description: ${reason}`);
}
