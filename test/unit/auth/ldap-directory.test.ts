import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createDirectory } from '../../../src/auth/ldap-directory.ts';
import { systemClock } from '../../../src/lib/clock.ts';

/** A message of LDAP begins so; one of TLS does not. */
const sequence = 0x30;

/** A success for this request, which is StartTLS (RFC 4511, 4.14), by the number it has. */
function succeed(request: Buffer): Buffer {
  const answer = Buffer.from('300c02010078070a010004000400', 'hex');
  answer[4] = request[4] ?? 0;
  return answer;
}

/** A directory that agrees to TLS and then says nothing more. */
async function startSilent(): Promise<{ readonly url: string; readonly stop: () => void }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', (request) => request[0] === sequence && socket.write(succeed(request)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `ldap://127.0.0.1:${port}`,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('a directory', () => {
  it.each(['ldap:', 'ldaps:'])('that falls silent before its TLS is there does not answer: %s', async (scheme) => {
    const { url: clear, stop } = await startSilent();
    const url = clear.replace('ldap:', scheme);
    const settings = { url, startTls: true, caFile: '', bindDn: '', bindPassword: '', people: 'o=p', groups: 'o=g' };
    const directory = createDirectory({ ...settings, minUid: 1_000, timeoutMs: 50, keepMs: 60_000 }, systemClock);
    try {
      await expect(directory.find('alice')).rejects.toMatchObject({ code: 'identity.unavailable', retryable: true });
    } finally {
      stop();
    }
  });
});
