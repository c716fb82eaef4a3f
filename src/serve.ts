/** Runs the service until it is told to stop: drains at the first signal, forces at the second. */

import type { LoadedConfig } from './config/load.ts';
import { compose, type Roles } from './main.ts';
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
  const service = await compose({ loaded, roles, version, log });
  for (const address of service.addresses) process.stdout.write(`abaco listens on ${address}\n`);

  const signals = ['SIGTERM', 'SIGINT'] as const;
  const { promise: first, resolve } = Promise.withResolvers<string>();
  for (const signal of signals) process.once(signal, () => resolve(signal));
  const signal = await first;
  log.info({ signal, drainMs: config.service.drainMs }, 'draining; a second signal forces');
  const draining = service.drain();
  for (const again of signals) {
    process.once(again, () => {
      log.warn({ signal: again }, 'forced');
      void service.force().finally(() => process.exit(1));
    });
  }
  await draining;
  log.info({}, 'service stopped');
  process.exit(0);
}
