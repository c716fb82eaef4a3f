/** A name server on loopback that gives what the test says for every name. */

import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';

export interface NameServer extends AsyncDisposable {
  /** As `Resolver.setServers` takes it. */
  readonly address: string;
}

const types = { 1: 'A', 28: 'AAAA' } as const;

export async function startNameServer(answer: (kind: 'A' | 'AAAA') => readonly string[]): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5;
    const kind = types[query.readUInt16BE(end - 4) as keyof typeof types];
    const found = answer(kind).filter((each) => isIPv4(each) === (kind === 'A'));
    const head = Buffer.from(query.subarray(0, 12));
    // A response without an error, with one question, and no more than answers.
    head.writeUInt16BE(0x8180, 2);
    [1, found.length, 0, 0].forEach((count, index) => head.writeUInt16BE(count, 4 + 2 * index));
    socket.send(Buffer.concat([head, query.subarray(12, end), ...found.map(record)]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    [Symbol.asyncDispose]: async () => await new Promise<void>((resolve) => void socket.close(resolve)),
  };
}

/** Name of the question, type, class, a second to live, and the address. */
function record(address: string): Buffer {
  const bytes = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : bytesOfSix(address);
  const head = Buffer.from([0xc0, 12, 0, bytes.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 1, 0, bytes.length]);
  return Buffer.concat([head, bytes]);
}

function bytesOfSix(address: string): Buffer {
  const [left = [], right = []] = address.split('::').map((side) => side.split(':').filter((group) => group !== ''));
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
