/** A registry on this machine, as the cluster reaches it: another one's answers, but for what it tells builders falsely. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cluster } from './cluster.ts';

export interface LyingRegistry extends AsyncDisposable {
  readonly address: string;
  /** Whoever builds is given the answer of the second path for the first: paths behind "/v2/". */
  lie(lies: Readonly<Record<string, string>>): void;
  /** Which lies were told. */
  readonly told: string[];
}

export async function startLyingRegistry(cluster: Cluster): Promise<LyingRegistry> {
  let lies: Readonly<Record<string, string>> = {};
  const told: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace('/v2/', '');
    // The service names no program; builders do.
    const lie = request.headers['user-agent'] === undefined ? undefined : lies[path];
    if (lie !== undefined) told.push(path);
    const headers = { accept: request.headers.accept ?? '*/*' };
    fetch(`http://${cluster.registry}/v2/${lie ?? path}`, { method: request.method ?? 'GET', headers })
      .then(async (answer) => {
        const type = answer.headers.get('content-type') ?? '';
        const length = answer.headers.get('content-length') ?? '0';
        const digest = path.slice(path.lastIndexOf('/') + 1);
        const honest = { 'content-type': type, 'content-length': length };
        const claimed = digest.startsWith('sha256:') ? { 'docker-content-digest': digest } : {};
        response.writeHead(answer.status, { ...honest, ...claimed });
        response.end(Buffer.from(await answer.arrayBuffer()));
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    address: `${await gatewayOf(cluster)}:${port}`,
    lie(next) {
      lies = next;
      told.length = 0;
    },
    told,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** This machine, on the network of the cluster. */
async function gatewayOf(cluster: Cluster): Promise<string> {
  const hex = (await cluster.exec('login', "awk '$2 == 0 { print $3 }' /proc/net/route")).trim();
  return (Buffer.from(hex, 'hex').toReversed() as Uint8Array).join('.');
}
