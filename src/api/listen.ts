/** Puts the API on its addresses: the configured one, and the engine's bridge for containers alone. */

import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { UnavailableError } from '../errors.ts';
import { isLoopback } from '../lib/bridge-address.ts';
import { buildApi } from './build-api.ts';
import type { Services } from './services.ts';

export interface ListeningApi {
  readonly addresses: readonly string[];
  /** Base URL at which containers on this host reach us. */
  readonly containerUrl: string;
  close(): Promise<void>;
}

/**
 * On loopback, containers cannot reach the configured address, so the same API listens on the engine's bridge too, and
 * there answers only requests with an execution's token.
 */
export async function listenApi(services: Services, bridge: string | undefined): Promise<ListeningApi> {
  const { host, port, publicUrl } = services.config.service;
  const api = buildApi(services);
  const url = await listen(api, host, port);
  const servers = [api];
  let containerUrl = publicUrl || url;
  if (isLoopback(host) && bridge !== undefined) {
    const forContainers = buildApi(services, { tokensOnly: true });
    containerUrl = await listen(forContainers, bridge, (api.server.address() as AddressInfo).port);
    servers.push(forContainers);
  }
  return {
    addresses: [url],
    containerUrl,
    async close() {
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
