/** The API on a port of its own, and connections that say exactly what the test wants. */

import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { until } from './until.ts';

/** @returns its port on loopback. */
export async function listenOnLoopback(app: FastifyInstance): Promise<number> {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as AddressInfo).port;
}

export interface RawConnection extends AsyncDisposable {
  readonly socket: Socket;
  /** All that came so far. */
  received(): string;
  /** Waits until the text has come. */
  until(text: string): Promise<string>;
  /** Waits until the other side closes. */
  closed(): Promise<string>;
}

export async function connectRaw(port: number, text = ''): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1');
  // A reset is what some tests are about; what matters is what was received before.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  let received = '';
  let closed = false;
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (received += chunk));
  socket.once('close', () => (closed = true));
  socket.write(text);
  return {
    socket,
    received: () => received,
    until: async (expected) => {
      await until(() => received.includes(expected), {
        what: `${JSON.stringify(expected)} in ${received.slice(0, 500)}`,
      });
      return received;
    },
    closed: async () => {
      await until(() => closed, { what: 'the end of the connection' });
      return received;
    },
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
    },
  };
}
