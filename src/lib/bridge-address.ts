/**
 * The address of this host on the container engine's own network, at which containers reach us.
 *
 * Read from the kernel's tables: `os.networkInterfaces()` leaves out a bridge to which no container is connected, which is
 * up but not running.
 */

import { readFileSync } from 'node:fs';

/** Names the engines give their bridge: Docker, Podman (netavark), Podman (CNI). */
const bridges = ['docker0', 'podman0', 'cni-podman0'];

/** @returns nothing where no engine has made its bridge. */
export function bridgeAddress(read: (file: string) => string = readTable): string | undefined {
  const networks = parseRoutes(read('/proc/net/route'));
  const addresses = parseLocalAddresses(read('/proc/net/fib_trie'));
  const ours = bridges.flatMap((name) => networks.filter((network) => network.name === name));
  return ours.flatMap((network) => addresses.filter((address) => isWithin(address, network))).at(0);
}

/** Addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

interface Network {
  /** Of the interface. */
  readonly name: string;
  /** Four bytes each. */
  readonly address: readonly number[];
  readonly mask: readonly number[];
}

function readTable(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Networks that are reached without a gateway. The first line names the columns. */
function parseRoutes(text: string): readonly Network[] {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  return lines
    .filter(([, address = '', gateway]) => /^[0-9A-F]{8}$/i.test(address) && gateway === '00000000')
    .map(([name = '', address = '', , , , , , mask = '']) => ({
      name,
      address: parseBytes(address),
      mask: parseBytes(mask),
    }));
}

/** The kernel writes the number as it lies in memory: the first byte of the address last. */
function parseBytes(hex: string): readonly number[] {
  return [6, 4, 2, 0].map((place) => Number.parseInt(hex.slice(place, place + 2), 16));
}

function parseLocalAddresses(text: string): readonly string[] {
  return [...text.matchAll(/\|-- (\S+)\n\s+\/32 host LOCAL/g)].map(([, address = '']) => address);
}

function isWithin(address: string, network: Network): boolean {
  const bytes = address.split('.').map(Number);
  return network.mask.every((mask, index) => ((bytes[index] ?? 0) & mask) === network.address[index]);
}
