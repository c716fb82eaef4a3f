/** A service that answers what a test tells it to, over real HTTP, for the tests of the client. */

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { optional } from '../../src/lib/optional.ts';

export interface SeenRequest {
  /** "GET /actors/v2?limit=1" */
  readonly line: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface FakeAnswer {
  readonly status?: number;
  /** Put into an envelope. */
  readonly result?: unknown;
  readonly message?: string;
  /** Sent as it is, instead of an envelope. */
  readonly body?: string | Uint8Array;
  readonly contentType?: string;
  readonly location?: string;
  /** Sent piece by piece, and left open when it ends with "…". */
  readonly pieces?: readonly string[];
}

export interface FakeService extends AsyncDisposable {
  readonly url: string;
  readonly seen: SeenRequest[];
}

export type FakeHandler = (request: SeenRequest) => FakeAnswer | Promise<FakeAnswer>;

export async function startFakeService(answer: FakeHandler): Promise<FakeService> {
  const seen: SeenRequest[] = [];
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method, url: path = '', headers } = incoming;
    const request = { line: `${method} ${path}`, path, headers, body: await buffer(incoming) };
    seen.push(request);
    send(outgoing, await answer(request));
  };
  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch((error: Error) => outgoing.destroy(error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function send(
  outgoing: ServerResponse,
  { status = 200, result, message = '', body, contentType, location, pieces }: FakeAnswer,
): void {
  const envelope = { message, result, status: status < 400 ? 'success' : 'error', version: 'test' };
  outgoing.writeHead(status, { 'content-type': contentType ?? 'application/json', ...optional('location', location) });
  if (pieces === undefined) {
    outgoing.end(body ?? JSON.stringify(envelope));
    return;
  }
  for (const piece of pieces) if (piece !== '…') outgoing.write(piece);
  if (pieces.at(-1) !== '…') outgoing.end();
}
