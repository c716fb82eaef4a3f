/**
 * Whether programs of an owner may run as the account that has the owner's name. Tenants meet on a host, and so does the
 * service: the same name can be somebody else's there.
 */

import { ForbiddenError } from '../../src/errors.ts';
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
