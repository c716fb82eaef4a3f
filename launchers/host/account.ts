/**
 * Whether programs of an owner may run as the account that has the owner's name. Tenants meet on a host, and so does the
 * service: the same name can be somebody else's there.
 */

import { ForbiddenError, InvalidError, UnavailableError } from '../../src/errors.ts';
import { type Command, expectSuccess } from './command.ts';
import type { Host } from './host.ts';

export interface Account {
  /**
   * Before anything of the owner's starts. The host is asked once.
   *
   * @param user - `uid[:gid]` of the owner. Who says none is refused as well.
   * @throws ForbiddenError `identity.other` where the account has another uid.
   */
  check(user: string | undefined): Promise<void>;
}

const uidCommand: Command<string> = {
  argv: ['id', '-u'],
  timeoutMs: 20_000,
  parse: (result) => expectSuccess('id')(result).trim(),
};

/** @param host - as the account of that name. */
export function createAccount(owner: string, host: Pick<Host, 'name' | 'run'>): Account {
  let asked: Promise<string> | undefined;
  return {
    async check(user) {
      try {
        asked ??= host.run(uidCommand, new AbortController().signal);
        const uid = await asked;
        if (user?.split(':')[0] !== uid) throw anotherUser(owner, user, host.name, uid);
      } catch (thrown) {
        // Neither what was not answered nor a no is for ever.
        asked = undefined;
        throw thrown;
      }
    },
  };
}

function anotherUser(owner: string, user: string | undefined, account: string, uid: string): ForbiddenError {
  const who = user === undefined ? 'nobody says what its uid is' : `its uid is ${user.split(':')[0]}`;
  const help = 'an operator gives it the uid of its account there, in the directory or in the configuration';
  const why = `${who}, and that account has uid ${uid}; ${help}`;
  return new ForbiddenError('identity.other', `User "${owner}" runs nothing as ${account}: ${why}`);
}

/** That account owns what others run by: what sudo lets it run, and the images. */
export function serviceAccount(owner: string, where: string): ForbiddenError {
  const help = 'an operator gives the service one that is no user\'s, or sets "become" to false where nobody else runs';
  const why = `that account is the one of the service, and has what others run; ${help}`;
  return new ForbiddenError('request.forbidden', `User "${owner}" runs nothing on ${where}: ${why}`);
}

/** Where somebody's account is asked for what may be left of theirs. */
export interface AccountQuestion {
  readonly launcher: string;
  /** As whom; nothing where all run as the service. */
  readonly owner: string | undefined;
}

/**
 * Does what ends or frees something as an account. Of a name that no account can have there is nothing, and nothing is done.
 *
 * @param deskOf - throws `InvalidError` for such a name.
 * @throws UnavailableError where the account refuses us: it may be back in a moment, and what was handed over as it starts
 *   meanwhile, so that is never "nothing is there".
 */
export async function atAccount<Desk, T>(
  { launcher, owner }: AccountQuestion,
  deskOf: () => Desk,
  action: (desk: Desk) => Promise<T>,
): Promise<T | undefined> {
  let desk: Desk | undefined;
  try {
    desk = deskOf();
    return await action(desk);
  } catch (thrown) {
    if (thrown instanceof InvalidError && desk === undefined) return undefined;
    if (!(thrown instanceof ForbiddenError)) throw thrown;
    const who = owner === undefined ? 'its account' : `account "${owner}"`;
    const message = `Launcher "${launcher}" cannot see what ${who} has there: ${thrown.message}`;
    const next = `It goes on by itself once ${who} is there, lets the service in, and can read and write its own directory`;
    throw new UnavailableError('launcher.unavailable', message, { cause: thrown, next });
  }
}
