import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNonceId, digestOfNonce, opensMore, remainingUses, tenantOfNonce } from '../../../src/auth/nonce.ts';

describe('the id of a nonce', () => {
  it('names its tenant, whatever the name holds', () => {
    for (const tenant of ['DEV', 'TACC-PROD', 'BIO.LAB', 'OLD_NAME']) {
      expect(tenantOfNonce(createNonceId(tenant))).toBe(tenant);
    }
  });

  it('is the one clients cut out of a webhook', () => {
    expect(createNonceId('DEV-STAGING')).toMatch(/^[A-Z0-9a-z.-]+_[A-Z0-9a-z]+$/);
  });

  it('is another one each time, and does not grow with the time', () => {
    const ids = Array.from({ length: 1_000 }, () => createNonceId('T'));
    expect(new Set(ids).size).toBe(1_000);
    const firsts = new Set(ids.map((id) => id.slice(0, 6)));
    expect(firsts.size).toBeGreaterThan(900);
  });

  it('is none for any other text', () => {
    for (const text of ['', '_', 'DEV', 'DEV_', '_Rr', 'DEV_jane', 'DEV_R r']) {
      expect(tenantOfNonce(text), text).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        const tenant = tenantOfNonce(text);
        if (tenant !== undefined) expect(text.toUpperCase().startsWith(`${tenant}_`)).toBe(true);
      }),
    );
  });

  it('cannot be told from its digest', () => {
    expect(digestOfNonce('DEV_Rr')).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('a nonce', () => {
  const privileged = ['Internal/abaco-privileged'];
  const admin = ['Internal/abaco-admin'];

  it.each([
    [['Internal/everyone'], [], false],
    [[], [], false],
    [['ALL'], [], false],
    [privileged, ['Internal/everyone'], true],
    [privileged, privileged, false],
    [privileged, admin, false],
    [admin, privileged, true],
    [admin, admin, false],
    [admin, ['ALL'], false],
  ])('made with the roles %j opens more than %j: %s', (roles, own, more) => {
    expect(opensMore({ roles }, own)).toBe(more);
  });
});

describe('the uses that remain', () => {
  it.each([
    [-1, 5, -1],
    [3, 0, 3],
    [3, 3, 0],
  ])('of %i after %i are %i', (maxUses, uses, remaining) => {
    expect(remainingUses({ maxUses, uses })).toBe(remaining);
  });
});
