/** An owner and the account of the same name need not be the same user. */

import { describe, expect, it } from 'vitest';
import { atAccount, createAccount } from '../../../../launchers/host/account.ts';
import type { Host } from '../../../../launchers/host/host.ts';
import { ForbiddenError, InvalidError, NotFoundError, UnavailableError } from '../../../../src/errors.ts';

/** Answers `id -u` with these, one after the other, and then with the last. */
function hostWith(...answers: readonly (string | Error)[]) {
  let asked = 0;
  const run: Host['run'] = async ({ argv, parse }) => {
    expect(argv).toEqual(['id', '-u']);
    const answer = answers[Math.min(asked, answers.length - 1)] ?? '';
    asked += 1;
    if (answer instanceof Error) throw answer;
    return parse({ exitCode: 0, signal: null, stdout: `${answer}\n`, stderr: '' });
  };
  return { name: 'alice@login', run, asked: () => asked };
}

describe('the account of an owner', () => {
  it('is the owner where the uid is the same, and is asked once', async () => {
    const host = hostWith('10001');
    const account = createAccount('alice', host);
    await Promise.all([account.check('10001:20000'), account.check('10001')]);
    await account.check('10001:20000');
    expect(host.asked()).toBe(1);
  });

  it('is somebody else where it is not, and both numbers are told', async () => {
    const account = createAccount('alice', hostWith('10001'));
    await expect(account.check('7001:20000')).rejects.toMatchObject({
      name: 'ForbiddenError',
      code: 'identity.other',
      message: expect.stringMatching(/^User "alice" runs nothing as alice@login: its uid is 7001, .* has uid 10001;/),
    });
    await account.check('10001:20000');
  });

  it("is nobody's of whom no uid is said", async () => {
    await expect(createAccount('alice', hostWith('10001')).check(undefined)).rejects.toMatchObject({
      code: 'identity.other',
      message: expect.stringContaining('nobody says what its uid is, and that account has uid 10001'),
    });
  });

  it('is asked again after a no, and after no answer', async () => {
    const account = createAccount('alice', hostWith(new UnavailableError('host.unavailable', 'away'), '1', '10001'));
    await expect(account.check('10001')).rejects.toMatchObject({ code: 'host.unavailable' });
    await expect(account.check('10001')).rejects.toMatchObject({ code: 'identity.other' });
    await account.check('10001');
  });
});

describe('what is ended or freed as an account', () => {
  const alice = { launcher: 'hpc', owner: 'alice' };
  const throwing = (error: Error) => async (): Promise<never> => {
    throw error;
  };

  it('is nothing where no account can have the name, and nothing is done', async () => {
    const done: string[] = [];
    const deskOf = (): string => {
      throw new InvalidError('request.invalid', 'no name of an account');
    };
    expect(await atAccount(alice, deskOf, async (desk) => done.push(desk))).toBeUndefined();
    expect(done).toEqual([]);
  });

  it.each([
    ['host.denied', 'Host login runs nothing for this user: sudo: unknown user alice'],
    ['host.file_denied', 'File "/home/alice/.abaco" on alice@login is not ours to use so: EACCES'],
  ] as const)('waits with the reason and what helps where it is refused: %s', async (code, message) => {
    const cause = new ForbiddenError(code, message);
    await expect(atAccount(alice, () => 'desk', throwing(cause))).rejects.toMatchObject({
      name: 'UnavailableError',
      retryable: true,
      message: `Launcher "hpc" cannot see what account "alice" has there: ${message}`,
      next: expect.stringMatching(/once account "alice" is there, lets the service in, and can read/),
      cause,
    });
  });

  it.each([
    new InvalidError('host.outside', 'outside'),
    new NotFoundError('host.file_not_found', 'not there'),
    new UnavailableError('host.unavailable', 'away'),
  ])('tells of other trouble as it is: $name', async (error) => {
    await expect(atAccount(alice, () => 'desk', throwing(error))).rejects.toBe(error);
  });
});
