/** Which addresses the service calls for its users: those of the public Internet, unless the site allows all. Pure. */

import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** What IANA's registries of special addresses keep from the public Internet, and multicast. */
const special: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Within the one range that is public at all: Teredo and other protocols, documentation, and 6to4, which wrap others. */
const specialSix: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const blocked = new BlockList();
for (const [net, bits] of special) blocked.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of specialSix) blocked.addSubnet(net, bits, 'ipv6');
const publicSix = new BlockList();
publicSix.addSubnet('2000::', 3, 'ipv6');

/** False also for what is no address. An IPv4 address in the clothes of IPv6 is none of the public ones. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !blocked.check(address, 'ipv4');
  return isIPv6(address) && publicSix.check(address, 'ipv6') && !blocked.check(address, 'ipv6');
}

/** False where the host of a URL is an address, which is connected to without a look-up, and none of the public ones. */
export function mayBePublic({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 || isPublicAddress(host);
}
