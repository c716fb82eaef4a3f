import { describe, expect, it } from 'vitest';
import { isPublicAddress, mayBePublic } from '../../../src/lib/address-rule.ts';

describe('isPublicAddress', () => {
  it.each(['1.1.1.1', '93.184.216.34', '172.32.0.1', '192.167.1.1', '223.255.255.254', '2606:4700::1111', '2a00::1'])(
    'takes %s',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.19.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:1.1.1.1',
    '::ffff:127.0.0.1',
    '::7f00:1',
    '64:ff9b::7f00:1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'localhost',
    '',
  ])('refuses %j', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('mayBePublic', () => {
  it.each([
    ['https://example.org/', true],
    ['https://1.1.1.1/', true],
    ['https://127.1/', false],
    ['https://[::1]:5000/', false],
    ['https://[2606:4700::1111]/', true],
  ])('says of %s: %s', (url, may) => expect(mayBePublic(new URL(url))).toBe(may));
});
