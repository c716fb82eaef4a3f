import { describe, expect, it } from 'vitest';
import { bridgeAddress, isLoopback } from '../../../src/lib/bridge-address.ts';

const heading = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
const routes = [
  heading,
  'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
  'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
  'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
].join('\n');
const addresses = `Local:
  +-- 0.0.0.0/0 3 0 5
        +-- 172.17.0.0/31 1 0 0
           |-- 172.17.0.0
              /16 link UNICAST
           |-- 172.17.0.1
              /32 host LOCAL
        |-- 172.17.255.255
           /32 link BROADCAST
     |-- 192.0.2.17
        /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
`;

const found = (files: Readonly<Record<string, string>>): string | undefined =>
  bridgeAddress((file) => files[file] ?? '');

describe('bridgeAddress', () => {
  it("is ours on the engine's network, although no container is connected to it", () => {
    expect(found({ '/proc/net/route': routes, '/proc/net/fib_trie': addresses })).toBe('172.17.0.1');
  });

  it('is nothing where no engine has made its bridge', () => {
    const others = routes.replace('docker0', 'eth1');
    expect(found({ '/proc/net/route': others, '/proc/net/fib_trie': addresses })).toBeUndefined();
  });

  it('is nothing where the system has no such tables', () => {
    expect(found({})).toBeUndefined();
  });
});

describe('isLoopback', () => {
  it.each([
    ['localhost', true],
    ['127.8.0.1', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['172.17.0.1', false],
  ])('of %s is %s', (host, answer) => {
    expect(isLoopback(host)).toBe(answer);
  });
});
