/** Body of `abaco launchers probe`: what would work, before anything runs. */

import type { ProbedLauncher } from './compose-launchers.ts';
import type { LoadedConfig } from './config/load.ts';
import { probeLaunchers } from './main.ts';
import type { Logger } from './observability/logger.ts';

export interface ProbeOptions {
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  readonly json: boolean;
}

/** @returns whether every launcher is well. */
export async function printProbes({ loaded, log, json }: ProbeOptions): Promise<boolean> {
  const probes = await probeLaunchers(loaded, log);
  process.stdout.write(json ? `${JSON.stringify(probes, null, 2)}\n` : probes.map(renderProbe).join(''));
  return probes.every(({ health }) => health.ok);
}

function renderProbe({ name, kind, health }: ProbedLauncher): string {
  const checks = health.checks.map((check) => `    ${check.ok ? 'ok  ' : 'FAIL'} ${check.name}: ${check.detail}\n`);
  return `${health.ok ? 'ok  ' : 'FAIL'} ${name} (${kind}): ${health.detail}\n${checks.join('')}`;
}
