/** Runs the service until it is told to stop: drains at the first signal, forces at the second. */

import type { LoadedConfig } from './config/load.ts';
import { compose, type Roles, type RunningService } from './main.ts';
import { createLogger } from './observability/logger.ts';

export type { Roles };

export interface ServeOptions {
  readonly loaded: LoadedConfig;
  readonly roles: Roles;
  readonly version: string;
}

export async function serve({ loaded, roles, version }: ServeOptions): Promise<void> {
  const { config } = loaded;
  const { level, pretty } = config.logging;
  const log = createLogger({
    level,
    pretty: pretty === 'always' || (pretty === 'auto' && process.stderr.isTTY),
  });
  const running: { service?: RunningService } = {};
  // Listened for from the beginning: what a start has begun by then is to be stopped as well.
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  const drainMs = config.service.drainMs;
  const onFirst = (signal: NodeJS.Signals): void => {
    if (running.service) log.info({ signal, drainMs }, 'draining; a second signal forces');
    else log.info({ signal }, 'stopping as soon as the start is over; a second signal forces');
    tell();
  };
  const onAgain = (signal: NodeJS.Signals): void => {
    log.warn({ signal }, 'forced');
    void (running.service?.force() ?? Promise.resolve()).finally(() => process.exit(1));
  };
  let count = 0;
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.on(name, (signal) => ((count += 1) === 1 ? onFirst(signal) : onAgain(signal)));

  const service = await compose({ loaded, roles, version, log });
  running.service = service;
  for (const address of service.addresses) process.stdout.write(`abaco listens on ${address}\n`);
  await told;
  await service.drain();
  log.info({}, 'service stopped');
  process.exit(0);
}
