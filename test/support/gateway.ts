/**
 * What stands in front of the service at a site: TLS for a name of the tenant. Clients come to it through a proxy, as
 * agavepy can be told one, and the name of the tenant then needs no name server and no port below 1024.
 */

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Gateway extends AsyncDisposable {
  /** As tenants have one: a name, and the port that clients assume. */
  readonly url: string;
  /** Of `url`; it signed itself. */
  readonly certificateFile: string;
  readonly port: number;
  /** @param target - base URL of the service. */
  leadTo(target: string): void;
}

const name = 'abaco.example.org';

/** @param directory - holds the certificate while the gateway is used. */
export async function startGateway(directory: string): Promise<Gateway> {
  const certificateFile = join(directory, 'gateway.pem');
  const keyFile = join(directory, 'gateway.key');
  await makeCertificate(certificateFile, keyFile);
  let target = '';
  const sockets = new Set<Socket>();
  const tls = createTlsServer(
    { cert: await readFile(certificateFile), key: await readFile(keyFile) },
    (asked, answer) => forward(asked, answer, target),
  );
  const proxy = createServer((_asked, answer) => answer.writeHead(405).end());
  proxy.on('connect', (_asked, socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    tls.emit('connection', socket);
  });
  // Containers come over the engine's bridge, the rest from this machine.
  proxy.listen(0, '0.0.0.0');
  await once(proxy, 'listening');
  return {
    url: `https://${name}`,
    certificateFile,
    port: (proxy.address() as AddressInfo).port,
    leadTo(url) {
      target = url;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

/** Hands on head and body as they came. */
function forward(asked: IncomingMessage, answer: ServerResponse, target: string): void {
  const { method, url = '/', headers } = asked;
  const onward = request(`${target}${url}`, { ...(method ? { method } : {}), headers }, (back) => {
    answer.writeHead(back.statusCode ?? 502, back.rawHeaders);
    back.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  asked.pipe(onward);
}

async function makeCertificate(certificateFile: string, keyFile: string): Promise<void> {
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  await promisify(execFile)('openssl', ['req', ...kind, ...subject, '-out', certificateFile, '-keyout', keyFile]);
}
