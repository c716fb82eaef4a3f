import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUserKeys, readKeysSecret } from '../../../../launchers/host/user-keys.ts';
import { makeTestDirectory, type TestDirectory } from '../../../support/test-directory.ts';

const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519');
const secret = randomBytes(32);

describe('keys of users', () => {
  let directory: TestDirectory;
  const open = (options: { readonly secret?: Buffer; readonly launcher?: string } = {}) =>
    createUserKeys({ launcher: 'hpc', directory: directory.path, secret, ...options });
  const fileOf = (user: string): string => join(directory.path, 'hpc', `${user}.key`);

  beforeEach(async () => {
    directory = await makeTestDirectory('keys');
  });

  afterEach(async () => await directory[Symbol.asyncDispose]());

  it('come back as they were given, and lie there encrypted, for the account alone', async () => {
    const facts = await open().add('alice', privateKey);
    expect(facts).toMatchObject({ type: 'ssh-ed25519', fingerprint: expect.stringMatching(/^SHA256:/) as string });
    expect(await open().read('alice')).toBe(privateKey);
    const file = readFileSync(fileOf('alice'), 'utf8');
    expect(file).toMatch(/^abaco-key-v1\n[A-Za-z0-9+/]+=*\n$/);
    expect(Buffer.from(file.split('\n')[1] ?? '', 'base64').includes('PRIVATE KEY')).toBe(false);
    expect(statSync(fileOf('alice')).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory.path, 'hpc')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(directory.path, 'hpc'))).toEqual(['alice.key']);
  });

  it('are encrypted differently each time', async () => {
    await open().add('alice', privateKey);
    const first = readFileSync(fileOf('alice'), 'utf8');
    await open().add('alice', privateKey);
    expect(readFileSync(fileOf('alice'), 'utf8')).not.toBe(first);
  });

  it('do not open with another secret, for another user, or for another launcher', async () => {
    await open().add('alice', privateKey);
    const refusal = {
      name: 'LauncherError',
      code: 'host.key_unreadable',
      message: expect.stringContaining('does not open') as string,
    };
    await expect(open({ secret: randomBytes(32) }).read('alice')).rejects.toMatchObject(refusal);
    renameSync(fileOf('alice'), fileOf('bob'));
    await expect(open().read('bob')).rejects.toMatchObject(refusal);
    renameSync(join(directory.path, 'hpc'), join(directory.path, 'other'));
    renameSync(join(directory.path, 'other', 'bob.key'), join(directory.path, 'other', 'alice.key'));
    await expect(open({ launcher: 'other' }).read('alice')).rejects.toMatchObject(refusal);
  });

  it('do not open when any byte of their file was changed', async () => {
    await open().add('alice', privateKey);
    const whole = readFileSync(fileOf('alice'));
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.byteLength - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        writeFileSync(fileOf('alice'), bytes);
        // Only spaces and the like at the end mean nothing in base64.
        const read = await open()
          .read('alice')
          .catch((thrown: Error) => thrown);
        if (typeof read === 'string') expect(read).toBe(privateKey);
        else expect(read).toMatchObject({ code: 'host.key_unreadable' });
      }),
      { numRuns: 200 },
    );
  });

  it('that are none are refused, and what was given is not repeated', async () => {
    const { private: locked } = ssh2.utils.generateKeyPairSync('ed25519', {
      passphrase: 'hush',
      cipher: 'aes256-ctr',
      rounds: 1,
    });
    await expect(open().add('alice', locked)).rejects.toThrow('it has a passphrase');
    await expect(open().add('alice', publicKey)).rejects.toThrow('is a public key');
    const refusal = open().add('alice', 'my password is swordfish');
    await expect(refusal).rejects.toThrow('it is in no form we know');
    await expect(refusal).rejects.not.toThrow('swordfish');
  });

  it('are told from those that are not there, listed by what may be seen, and removed', async () => {
    const { fingerprint } = await open().add('bob', privateKey);
    await open().add('alice', privateKey);
    writeFileSync(fileOf('alice'), 'torn');
    const [alice, bob] = await open().list();
    expect(alice).toMatchObject({ user: 'alice', trouble: expect.stringContaining('not one of ours') as string });
    expect(bob).toMatchObject({ user: 'bob', type: 'ssh-ed25519', fingerprint });
    expect(await open().remove('bob')).toBe(true);
    expect(await open().remove('bob')).toBe(false);
    await expect(open().read('bob')).rejects.toMatchObject({
      name: 'NotFoundError',
      code: 'host.no_key',
      message: expect.stringContaining('"abaco clusters keys add hpc bob" adds one') as string,
    });
  });
});

describe('their secret', () => {
  it('is 32 bytes, as they are or in base64', () => {
    expect(readKeysSecret('hpc', secret)).toEqual(secret);
    expect(readKeysSecret('hpc', Buffer.from(`${secret.toString('base64')}\n`))).toEqual(secret);
  });

  it.each(['', 'short', randomBytes(33).toString('base64'), 'x'.repeat(44)])('is not %j', (text) => {
    expect(() => readKeysSecret('hpc', Buffer.from(text))).toThrow('does not hold 32 bytes');
  });
});
