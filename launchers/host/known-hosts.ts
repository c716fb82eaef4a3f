/** Which keys hosts have: the format of OpenSSH's known_hosts (sshd(8)), hashed names and revoked keys included. */

import { createHash, createHmac } from 'node:crypto';
import { UnavailableError } from '../../src/errors.ts';

export interface KnownHosts {
  /** Types of the keys that are known of the host, so that it is asked for one of these. */
  typesOf(host: string, port: number): readonly string[];
  /** Throws `UnavailableError` unless `key` (as SSH sends it) is one the host is known by. */
  check(host: string, port: number, key: Buffer): void;
}

interface KnownHost {
  readonly revoked: boolean;
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
  readonly line: number;
}

/** @param source - what messages call it: the file's name. Lines that are none are passed over, as OpenSSH does. */
export function parseKnownHosts(text: string, source: string): KnownHosts {
  const entries = text.split('\n').flatMap((line, index) => readLine(line, index + 1));
  const of = (host: string, port: number) => entries.filter(({ names }) => isNamed(names, nameOf(host, port)));
  return {
    typesOf: (host, port) => [
      ...new Set(
        of(host, port)
          .filter(({ revoked }) => !revoked)
          .map(({ type }) => type),
      ),
    ],
    check(host, port, key) {
      const known = of(host, port);
      const same = known.filter((entry) => entry.key.equals(key));
      if (same.some(({ revoked }) => revoked)) throw revokedKey(host, key, source);
      if (same.length > 0) return;
      const others = known.filter(({ revoked }) => !revoked);
      throw others.length === 0 ? unknownKey(host, port, key, source) : changedKey(host, key, others, source);
    },
  };
}

/** As OpenSSH shows it: `SHA256:…`. */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The key says its own type: a length of four bytes, then the name. */
function typeOf(key: Buffer): string {
  return key.byteLength < 4 ? '' : key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

function readLine(line: string, number: number): readonly KnownHost[] {
  const words = line.trim().split(/\s+/);
  const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
  const [names, type, base64] = words;
  if (!names || !type || !base64 || names.startsWith('#') || marker === '@cert-authority') return [];
  const key = Buffer.from(base64, 'base64');
  return typeOf(key) === type ? [{ revoked: marker === '@revoked', names, type, key, line: number }] : [];
}

function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function isNamed(names: string, name: string): boolean {
  if (names.startsWith('|1|')) {
    const [salt = '', hash = ''] = names.slice(3).split('|');
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
  }
  const patterns = names.toLowerCase().split(',');
  const hits = (pattern: string): boolean => matches(name, pattern);
  if (patterns.some((pattern) => pattern.startsWith('!') && hits(pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && hits(pattern));
}

/** "*" is any text, "?" one character. */
function matches(name: string, pattern: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`).test(name);
}

function unknownKey(host: string, port: number, key: Buffer, source: string): UnavailableError {
  const line = `${nameOf(host, port)} ${typeOf(key)} ${key.toString('base64')}`;
  const message =
    `Host "${host}" is not known; it shows a key ${typeOf(key)} ${fingerprintOf(key)}. ` +
    `Ask its administrator whether that is right, then add this line to ${source}: ${line}`;
  return new UnavailableError('host.key_unknown', message);
}

function changedKey(host: string, key: Buffer, others: readonly KnownHost[], source: string): UnavailableError {
  const known = others.map((other) => `${other.type} ${fingerprintOf(other.key)} (line ${other.line})`).join(', ');
  const message =
    `Host "${host}" shows another key than it is known by: ${typeOf(key)} ${fingerprintOf(key)} instead of ${known} of ` +
    `${source}. Somebody may be in between, or the host was installed anew: ask its administrator before you change the line`;
  return new UnavailableError('host.key_changed', message);
}

function revokedKey(host: string, key: Buffer, source: string): UnavailableError {
  const message = `Host "${host}" shows the key ${fingerprintOf(key)}, which ${source} marks as revoked`;
  return new UnavailableError('host.key_changed', message);
}
