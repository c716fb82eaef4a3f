import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, parseKnownHosts } from '../../../../launchers/host/known-hosts.ts';

/** A key as SSH sends it: its type with a length before it, then something. */
function keyOf(type: string, content: string): Buffer {
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.byteLength);
  return Buffer.concat([length, name, Buffer.from(content)]);
}

const key = keyOf('ssh-ed25519', 'right');
const other = keyOf('ssh-ed25519', 'other');
const line = (names: string, of = key, type = 'ssh-ed25519') => `${names} ${type} ${of.toString('base64')} a comment`;

function verdict(text: string, host = 'login.example.org', port = 22): string {
  try {
    parseKnownHosts(text, 'known_hosts').check(host, port, key);
    return 'known';
  } catch (thrown) {
    return (thrown as { readonly code: string }).code;
  }
}

describe('known hosts', () => {
  it.each([
    [line('login.example.org')],
    [line('LOGIN.example.org')],
    [line('a,login.example.org,b')],
    [line('*.example.org')],
    [line('login?.example.org,login.*')],
    [`# comment\n\n  ${line('login.example.org')}\nnonsense`],
    [`${line('login.example.org', other)}\n${line('login.example.org')}`],
    [line(`|1|c2FsdA==|${createHmac('sha1', 'salt').update('login.example.org').digest('base64')}`)],
  ])('knows the host by %j', (text) => {
    expect(verdict(text)).toBe('known');
  });

  it.each([
    ['', 'host.key_unknown'],
    [line('other.example.org'), 'host.key_unknown'],
    [line('login-example.org'), 'host.key_unknown'],
    [line('*.example.org,!login.example.org'), 'host.key_unknown'],
    [line('[login.example.org]:2222'), 'host.key_unknown'],
    // A line that says another type than its key has means nothing.
    [line('login.example.org', key, 'ssh-rsa'), 'host.key_unknown'],
    [`@cert-authority ${line('login.example.org')}`, 'host.key_unknown'],
    [line('login.example.org', other), 'host.key_changed'],
    [`${line('login.example.org')}\n@revoked ${line('*')}`, 'host.key_changed'],
  ])('by %j it does not: %s', (text, code) => {
    expect(verdict(text)).toBe(code);
  });

  it('tells ports apart', () => {
    expect(verdict(line('[login.example.org]:2222'), 'login.example.org', 2222)).toBe('known');
    expect(verdict(line('login.example.org'), 'login.example.org', 2222)).toBe('host.key_unknown');
  });

  it('names the types that are known, for the host to choose from', () => {
    const text = `${line('h')}\n${line('h', keyOf('ssh-rsa', 'x'), 'ssh-rsa')}\n@revoked ${line('h', keyOf('ecdsa', 'y'), 'ecdsa')}`;
    expect(parseKnownHosts(text, '').typesOf('h', 22)).toEqual(['ssh-ed25519', 'ssh-rsa']);
    expect(parseKnownHosts(text, '').typesOf('elsewhere', 22)).toEqual([]);
  });

  it('shows fingerprints as OpenSSH does', () => {
    // ssh-keygen -lf of this key.
    const blob = Buffer.from('AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl', 'base64');
    expect(fingerprintOf(blob)).toBe('SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU');
  });
});
