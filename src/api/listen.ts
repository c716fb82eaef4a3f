/** Puts the API on its addresses: the configured one, and the engine's bridge for containers alone. */

import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { asError, UnavailableError } from '../errors.ts';
import { pause } from '../lib/backoff.ts';
import { isLoopback } from '../lib/bridge-address.ts';
import { buildApi } from './build-api.ts';
import type { Services } from './services.ts';

export interface ListeningApi {
  readonly url: string;
  /** Of every address. */
  readonly port: number;
  close(): Promise<void>;
}

/** How often is looked for the bridge of an engine that was started after us. */
const lookMs = 1_000;

/**
 * On loopback, containers cannot reach the configured address, so the same API listens on the engine's bridge too, as soon
 * as there is one, and there answers only requests with an execution's token.
 */
export async function listenApi(services: Services, bridge: () => string | undefined): Promise<ListeningApi> {
  const { config, log } = services;
  const { host } = config.service;
  const api = buildApi(services);
  const url = await listen(api, host, config.service.port);
  const { port } = api.server.address() as AddressInfo;
  const servers = [api];
  const leaving = new AbortController();

  /** @returns whether there is a bridge. */
  async function listenForContainers(): Promise<boolean> {
    const address = bridge();
    if (address === undefined) return false;
    const forContainers = buildApi(services, { tokensOnly: true });
    await listen(forContainers, address, port);
    servers.push(forContainers);
    return true;
  }

  async function lookForBridge(): Promise<void> {
    let said = '';
    for (let found = false; !found; ) {
      await pause(lookMs, leaving.signal);
      if (leaving.signal.aborted) return;
      try {
        found = await listenForContainers();
      } catch (thrown) {
        const err = asError(thrown);
        if (err.message !== said) log.warn({ err }, 'containers cannot reach the API; it is tried again');
        said = err.message;
      }
    }
    log.info({ port }, "the API listens on the engine's bridge");
  }

  const looking = isLoopback(host) && !(await listenForContainers()) ? lookForBridge() : undefined;
  return {
    url,
    port,
    async close() {
      leaving.abort();
      await looking;
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}

async function listen(api: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await api.listen({ host, port });
  } catch (thrown) {
    await api.close();
    const { code } = thrown as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL' && code !== 'EACCES') throw thrown;
    throw new UnavailableError(
      'service.unreachable',
      `Port ${port} of "${host}" cannot be listened on (${code}); give another with --port, or 0 for a free one`,
      { cause: thrown, retryable: false },
    );
  }
}
