import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { readJwt } from '../../../src/auth/jwt.ts';
import { mintToken } from '../../../src/auth/mint-token.ts';
import { claimsOf, makeTestKey, signToken } from '../../support/tokens.ts';

const { privateKey, publicPem } = makeTestKey();
const key = createPublicKey(publicPem);
const stranger = makeTestKey();
const now = new Date();
const rules = { now, millisecondExpiry: true };
const inSeconds = Math.floor(now.getTime() / 1_000);

describe('a signed token', () => {
  it('tells the user up to the first @, and the roles', () => {
    const claims = claimsOf('jane@carbon.super', {
      'http://wso2.org/claims/role': 'Internal/everyone, Internal/abaco-admin',
    });
    expect(readJwt(signToken(privateKey, { claims }), key, rules)).toEqual({
      claims: { user: 'jane', roles: ['Internal/everyone', 'Internal/abaco-admin'] },
    });
  });

  it.each([
    ['in padded standard base64 under the name WSO2 gives the algorithm', 'base64', 'SHA256withRSA', ''],
    ['with the junk that stored tokens end with', 'base64', 'SHA256withRSA', '[\\r][\\n]'],
    ['with a line end', 'base64url', 'RS256', '\r\n'],
  ] as const)('is read %s', (_how, encoding, alg, junk) => {
    // Characters that are written differently in the two encodings, and a length that needs padding.
    const claims = claimsOf('jane', { filling: '???>>>~~~ÿÿ' });
    const token = signToken(privateKey, { header: { typ: 'JWT', alg }, claims, encoding });
    expect(readJwt(token + junk, key, rules)).toEqual({ claims: { user: 'jane', roles: undefined } });
  });

  it.each([
    [
      'another key',
      signToken(stranger.privateKey, { claims: claimsOf('jane') }),
      "its signature is not by the tenant's key",
    ],
    [
      'no signature',
      `${signToken(privateKey, { claims: claimsOf('jane') })
        .split('.')
        .slice(0, 2)
        .join('.')}.`,
      'it is not three parts of base64',
    ],
    [
      'the algorithm none',
      signToken(privateKey, { header: { alg: 'none' }, claims: claimsOf('jane') }),
      'it is not signed with RS256',
    ],
    [
      'the public key as a shared secret',
      signToken(privateKey, { header: { alg: 'HS256' }, claims: claimsOf('jane') }),
      'it is not signed with RS256',
    ],
    [
      'no user',
      signToken(privateKey, { claims: { exp: inSeconds + 60 } }),
      'it has no claim http://wso2.org/claims/enduser',
    ],
    [
      'an empty user',
      signToken(privateKey, { claims: claimsOf('@carbon.super') }),
      'it has no claim http://wso2.org/claims/enduser',
    ],
    [
      'a user of two lines',
      signToken(privateKey, { claims: claimsOf('jane\nroot') }),
      'the name of its user is no name',
    ],
    [
      'no expiry',
      signToken(privateKey, { claims: claimsOf('jane', { exp: undefined }) }),
      'it does not say when it expires',
    ],
    [
      'a text for an expiry',
      signToken(privateKey, { claims: claimsOf('jane', { exp: '9999999999' }) }),
      'it does not say when it expires',
    ],
    ['no JSON', `${Buffer.from('nonsense').toString('base64url')}.e30.c2ln`, 'its parts are not JSON objects'],
    ['nothing', '', 'it is not three parts of base64'],
    ['more than there is room for', `e30.${'e'.repeat(70_000)}.c2ln`, 'it is too long'],
  ])('with %s is refused', (_what, token, refusal) => {
    expect(readJwt(token, key, rules)).toEqual({ refusal });
  });

  it('is good until its expiry and not a millisecond longer', () => {
    const token = signToken(privateKey, { claims: claimsOf('jane', { exp: inSeconds }) });
    const at = (ms: number) => readJwt(token, key, { ...rules, now: new Date(inSeconds * 1_000 + ms) });
    expect(at(-1)).toHaveProperty('claims');
    expect(at(0)).toEqual({ refusal: `it expired at ${new Date(inSeconds * 1_000).toISOString()}` });
  });

  it('with an expiry in milliseconds is held to it only where the site says so', () => {
    const token = signToken(privateKey, { claims: claimsOf('jane', { exp: now.getTime() - 1 }) });
    expect(readJwt(token, key, { now, millisecondExpiry: false })).toHaveProperty('claims');
    expect(readJwt(token, key, { now, millisecondExpiry: true })).toHaveProperty('refusal');
  });

  it('with any part changed is refused, and whatever is sent nothing is thrown', () => {
    const token = signToken(privateKey, { claims: claimsOf('jane') });
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...Array.from('ABCabc019-_.=')), (at, other) => {
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        // The last character of a part has bits that mean nothing.
        const same = Buffer.from(changed.split('.')[2] ?? '', 'base64').equals(
          Buffer.from(token.split('.')[2] ?? '', 'base64'),
        );
        fc.pre(
          changed !== token && !(same && changed.split('.').slice(0, 2).join() === token.split('.').slice(0, 2).join()),
        );
        expect(readJwt(changed, key, rules)).toHaveProperty('refusal');
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => 'refusal' in readJwt(text, key, rules)),
    );
    const part = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text).toString('base64url'));
    fc.assert(fc.property(fc.tuple(part, part, part), (parts) => 'refusal' in readJwt(parts.join('.'), key, rules)));
  });
});

describe('a minted token', () => {
  it('is one that we take, and that others read as an RS256 token', async () => {
    const token = await mintToken(privateKey, { user: 'jane', roles: ['Internal/abaco-admin'], ttlMs: 1_500, now });
    expect(readJwt(token, key, rules)).toEqual({
      claims: { user: 'jane', roles: ['Internal/everyone', 'Internal/abaco-admin'] },
    });
    const { payload } = await jwtVerify(token, key, { algorithms: ['RS256'], currentDate: now });
    expect(payload).toMatchObject({ sub: 'jane', iat: inSeconds, exp: inSeconds + 2 });
  });

  it.each(['', 'jane@example.org', 'two\nlines'])('is for no user %j', async (user) => {
    await expect(mintToken(privateKey, { user, roles: [], ttlMs: 1_000, now })).rejects.toThrow('is no name');
  });
});
