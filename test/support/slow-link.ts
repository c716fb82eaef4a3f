/** A TCP relay that holds back what it is given, as a long way does; for machines whose kernel has no `netem`. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SlowLink extends AsyncDisposable {
  readonly port: number;
}

/** @param delayMs on the way back, so that it is added once to each round. */
export async function openSlowLink(
  to: { readonly host: string; readonly port: number },
  delayMs: number,
): Promise<SlowLink> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ ...to, noDelay: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    near.pipe(far);
    // Each piece on its own: what is under way is not held up by what went before.
    far.on('data', (chunk: Buffer) => void setTimeout(() => near.write(chunk), delayMs));
    far.on('end', () => void setTimeout(() => near.end(), delayMs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
