import { describe, expect, it } from 'vitest';
import { type DirectoryEntry, decideIdentity, identityByRule } from '../../../src/auth/posix-identity.ts';

const rules = { minUid: 1_000, now: new Date('2026-11-23T00:00:00Z') };
const jane: DirectoryEntry = {
  uid: ['jane'],
  uidnumber: ['10001'],
  gidnumber: ['20000'],
  homedirectory: ['/home/jane'],
  loginshell: ['/bin/bash'],
};
const decide = (accounts: readonly DirectoryEntry[], groups: readonly DirectoryEntry[] = []) =>
  decideIdentity('jane', accounts, groups, rules);

describe('who somebody is', () => {
  it('is the numbers of the account, and its groups without its own', () => {
    const groups = [
      { gidnumber: ['20002'] },
      { gidnumber: ['20000'] },
      { gidnumber: ['20001'] },
      { gidnumber: ['20002'] },
    ];
    expect(decide([jane], groups)).toEqual({
      user: 'jane',
      uid: 10_001,
      gid: 20_000,
      groups: [20_001, 20_002],
      home: '/home/jane',
    });
  });

  it.each([
    ['nobody', [], 'identity.unknown'],
    ['somebody whose name differs in case', [{ ...jane, uid: ['Jane'] }], 'identity.unknown'],
    ['one of two', [jane, jane], 'identity.unknown'],
    ['one without numbers', [{ uid: ['jane'] }], 'identity.unknown'],
    ['one with a number that is none', [{ ...jane, uidnumber: ['0x10'] }], 'identity.unknown'],
    ['root', [{ ...jane, uidnumber: ['0'] }], 'identity.system'],
    ['an account of the system', [{ ...jane, uidnumber: ['999'] }], 'identity.system'],
    ['one that has expired', [{ ...jane, shadowexpire: ['1'] }], 'identity.disabled'],
    ['one that expires today', [{ ...jane, shadowexpire: ['20780'] }], 'identity.disabled'],
    ['one without a shell', [{ ...jane, loginshell: ['/usr/sbin/nologin'] }], 'identity.disabled'],
    ['one with a shell that is none', [{ ...jane, loginshell: ['/bin/false'] }], 'identity.disabled'],
    ['one that is locked', [{ ...jane, nsaccountlock: ['TRUE'] }], 'identity.disabled'],
    ['one that was locked by its policy', [{ ...jane, pwdaccountlockedtime: ['000001010000Z'] }], 'identity.disabled'],
  ])('is refused for %s', (_who, accounts, code) => {
    expect(() => decide(accounts)).toThrow(expect.objectContaining({ name: 'ForbiddenError', code }) as Error);
  });

  it('is still good the day before it expires, and where that is not limited', () => {
    for (const shadowexpire of [['20781'], ['-1'], ['']]) expect(decide([{ ...jane, shadowexpire }]).uid).toBe(10_001);
  });
});

describe('who the configuration says somebody is', () => {
  const rule = {
    uid: 10_001,
    gid: 20_000,
    groups: [20_002, 20_000, 20_001],
    home: '/home/jane',
    work: '',
    disabled: false,
  };

  it('is the numbers of the rule, and its groups without its own', () => {
    const identity = { user: 'jane', uid: 10_001, gid: 20_000, groups: [20_001, 20_002], home: '/home/jane' };
    expect(identityByRule('jane', rule, 1_000)).toEqual(identity);
    expect(identityByRule('jane', { ...rule, work: '/work/jane' }, 1_000)).toEqual({ ...identity, work: '/work/jane' });
  });

  it.each([
    ['root', { uid: 0 }, 'identity.system'],
    ['an account of the system', { uid: 999 }, 'identity.system'],
    ['one that is disabled', { disabled: true }, 'identity.disabled'],
  ])('is refused for %s', (_who, changes, code) => {
    expect(() => identityByRule('jane', { ...rule, ...changes }, 1_000)).toThrow(
      expect.objectContaining({ name: 'ForbiddenError', code }) as Error,
    );
  });
});
