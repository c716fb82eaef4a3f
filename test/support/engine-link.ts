import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

/** A socket that leads to the engine of this machine and can be cut, for tests of an engine that goes away. */
export interface EngineLink extends AsyncDisposable {
  readonly socket: string;
  /** Breaks what is under way; nobody listens any more. */
  cut(): Promise<void>;
  /** Takes questions and answers none. */
  stall(): void;
  restore(): Promise<void>;
}

export async function linkEngine(directory: string, target = '/var/run/docker.sock'): Promise<EngineLink> {
  const socket = join(directory, 'engine.sock');
  const open = new Set<Socket>();
  let isStalled = false;
  let server: Server;

  const track = (end: Socket) => {
    open.add(end);
    end.on('error', () => end.destroy()).on('close', () => open.delete(end));
  };
  const connect = (client: Socket) => {
    track(client);
    if (isStalled) return;
    const engine = createConnection(target);
    track(engine);
    client.pipe(engine).pipe(client);
  };
  const dropAll = () => {
    for (const end of open) end.destroy();
  };
  const listen = async () => {
    await rm(socket, { force: true });
    server = createServer(connect).listen(socket);
    await once(server, 'listening');
  };
  const close = async () => {
    if (!server.listening) return;
    server.close();
    dropAll();
    await once(server, 'close');
  };

  await listen();
  return {
    socket,
    cut: close,
    stall() {
      isStalled = true;
      dropAll();
    },
    async restore() {
      isStalled = false;
      if (!server.listening) await listen();
    },
    [Symbol.asyncDispose]: close,
  };
}
