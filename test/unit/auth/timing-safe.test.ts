/**
 * What proves who somebody is, is never compared character by character: how long that takes tells how much was right.
 * Nonces are looked up by their digest, tokens of executions compared in constant time, signatures verified by OpenSSL.
 */

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../support/package-root.ts';

const secret =
  /\b\w*(?:secret|signature|hash|token|nonceId)\w*(?:\.\w+|\(\))*\s*[!=]== (?!undefined|null|true|false|'|0\b)/i;

const read = (path: string): string => readFileSync(join(packageRoot, path), 'utf8');

describe('secrets', () => {
  it('are not compared with === anywhere in the service', () => {
    const found = globSync('src/**/*.ts', { cwd: packageRoot }).flatMap((path) =>
      read(path)
        .split('\n')
        .filter((line) => secret.test(line) && !/\.length\b|typeof /.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });

  it('would be found by this test', () => {
    expect(secret.test('if (given.secret === known) return')).toBe(true);
    expect(secret.test('if (token !== expected)')).toBe(true);
  });

  it('are compared in constant time, verified, or looked up by their digest', () => {
    expect(read('src/executions/execution-store.ts')).toContain('timingSafeEqual(hash, given)');
    expect(read('src/auth/jwt.ts')).toContain("verify('sha256'");
    expect(read('src/auth/nonce-store.ts')).toMatch(/redeem-nonce', .*digestOfNonce\(id\)/);
  });
});
