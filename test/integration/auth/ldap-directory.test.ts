/** A real OpenLDAP, with the people of the test cluster. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDirectory, type DirectorySettings } from '../../../src/auth/ldap-directory.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';

const canRun = await canRunCluster();

describe.runIf(canRun)('the directory', () => {
  let cluster: Cluster;
  let settings: DirectorySettings;

  beforeAll(async () => {
    cluster = await startCluster(['directory']);
    settings = {
      url: cluster.directory.url,
      startTls: true,
      caFile: cluster.directory.caFile,
      bindDn: '',
      bindPassword: '',
      people: 'ou=people,dc=example,dc=org',
      groups: 'ou=groups,dc=example,dc=org',
      minUid: 1_000,
      timeoutMs: 3_000,
      keepMs: 0,
    };
  }, 300_000);

  afterAll(async () => await cluster[Symbol.asyncDispose](), 60_000);

  const ask = async (user: string, changes: Partial<DirectorySettings> = {}) =>
    await createDirectory({ ...settings, ...changes }, systemClock).find(user);

  it('knows people with all their groups, by StartTLS and by LDAPS', async () => {
    const alice = { user: 'alice', uid: 10_001, gid: 20_000, groups: [20_001, 20_002], home: '/home/alice' };
    expect(await ask('alice')).toEqual(alice);
    expect(await ask('alice', { url: settings.url.replace('ldap:', 'ldaps:') })).toEqual(alice);
    expect(await ask('bob')).toMatchObject({ groups: [20_001] });
  });

  it('knows groups that name the entry of a person, and all of many or none', async () => {
    const as = '-c -Y EXTERNAL -H ldapi:/// -Q';
    const numbers = Array.from({ length: 400 }, (_, index) => 40_001 + index);
    const group = (number: string, member: string): string =>
      [
        `dn: cn=many-${number},ou=groups,dc=example,dc=org`,
        'changetype: add',
        'objectClass: posixGroup',
        'objectClass: extensibleObject',
        `gidNumber: ${number}`,
        member,
        String.raw`\n`,
      ].join(String.raw`\n`);
    const byEntry = group('40000', 'member: uid=carol,ou=people,dc=example,dc=org');
    const byName = (from: number, to: number): string =>
      `for n in $(seq ${from} ${to}); do printf "${group('$n', 'memberUid: carol')}"; done`;
    await cluster.exec(
      'directory',
      `{ printf '${byEntry}'; ${byName(40_001, 40_400)}; } | ldapmodify ${as} >/dev/null`,
    );
    try {
      expect(await ask('carol')).toMatchObject({ groups: [20_002, 40_000, ...numbers] });
      expect(await ask('bob')).toMatchObject({ groups: [20_001] });
      await cluster.exec('directory', `${byName(40_401, 40_600)} | ldapmodify ${as} >/dev/null`);
      await expect(ask('carol')).rejects.toMatchObject({
        code: 'identity.unavailable',
        message: expect.stringContaining('raises its size limit'),
      });
    } finally {
      const names = 'for n in $(seq 40000 40600); do echo "cn=many-$n,ou=groups,dc=example,dc=org"; done';
      await cluster.exec('directory', `${names} | ldapdelete ${as} || true`);
    }
  });

  it('refuses an account that its administrator has locked', async () => {
    const lock = async (change: string): Promise<void> => {
      const entry = String.raw`dn: uid=bob,ou=people,dc=example,dc=org\nchangetype: modify\n`;
      await cluster.exec('directory', `printf '${entry}${change}' | ldapmodify -Y EXTERNAL -H ldapi:/// -Q >/dev/null`);
    };
    await lock(String.raw`add: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n`);
    try {
      await expect(ask('bob')).rejects.toMatchObject({ code: 'identity.disabled' });
    } finally {
      await lock(String.raw`delete: pwdAccountLockedTime\n`);
    }
    expect(await ask('bob')).toMatchObject({ uid: 10_002 });
  });

  it('takes a name for a name, whatever it looks like', async () => {
    expect(await ask('$(reboot)')).toMatchObject({ uid: 10_009 });
    for (const name of ['*', 'ali*', 'alice)(uid=*', 'x)(|(uid=alice)', String.raw`ali\63e`, 'ALICE', '']) {
      await expect(ask(name), name).rejects.toMatchObject({ code: 'identity.unknown' });
    }
  });

  it('is not believed without a certificate of its authority', async () => {
    await expect(ask('alice', { caFile: '' })).rejects.toMatchObject({ code: 'identity.unavailable' });
    await expect(ask('alice', { caFile: '', url: settings.url.replace('ldap:', 'ldaps:') })).rejects.toMatchObject({
      code: 'identity.unavailable',
    });
    // It tells nothing to those who ask in the clear.
    await expect(ask('alice', { startTls: false })).rejects.toMatchObject({ code: 'identity.unavailable' });
  });

  it('that is away is trouble that may pass, and is asked again', async () => {
    await expect(ask('alice', { url: 'ldap://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'identity.unavailable',
      retryable: true,
    });
    const directory = createDirectory({ ...settings, keepMs: 60_000 }, systemClock);
    await cluster.compose('pause', 'directory');
    await expect(directory.find('alice')).rejects.toMatchObject({ code: 'identity.unavailable' });
    await cluster.compose('unpause', 'directory');
    expect(await directory.find('alice')).toMatchObject({ uid: 10_001 });
    await cluster.compose('pause', 'directory');
    expect(await directory.find('alice')).toMatchObject({ uid: 10_001 });
    await cluster.compose('unpause', 'directory');
  });
});
