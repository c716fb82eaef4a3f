/** Who somebody is on a file system: decided from what a directory (RFC 2307) or the configuration says of them. Pure. */

import { ForbiddenError } from '../errors.ts';

export interface PosixIdentity {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, ascending, without `gid`. */
  readonly groups: readonly number[];
  /** Empty where nobody knows it. */
  readonly home: string;
  /** Where it is said of this one user; the site has a rule for the others. */
  readonly work?: string;
}

/** An entry's attributes by lower-case name, each with all its values as text. */
export type DirectoryEntry = Readonly<Record<string, readonly string[]>>;

export interface IdentityRules {
  /** Accounts below it are the system's, and run nothing. */
  readonly minUid: number;
  readonly now: Date;
}

const dayMs = 86_400_000;

/**
 * @param accounts - all entries found for the name.
 * @throws ForbiddenError for nobody, for several, for the disabled, and for root and accounts of the system.
 */
export function decideIdentity(
  user: string,
  accounts: readonly DirectoryEntry[],
  groups: readonly DirectoryEntry[],
  { minUid, now }: IdentityRules,
): PosixIdentity {
  const [account, ...others] = accounts.filter((entry) => isAccountOf(user, entry));
  if (!account) throw refused('identity.unknown', user, 'the directory has no account of that name');
  if (others.length > 0) throw refused('identity.unknown', user, 'the directory has several accounts of that name');
  const uid = numberIn(account, 'uidnumber');
  const gid = numberIn(account, 'gidnumber');
  if (uid === undefined || gid === undefined) {
    throw refused('identity.unknown', user, 'its account has no number of a user and a group');
  }
  const disabled = disabledBy(account, now);
  if (disabled !== undefined) throw refused('identity.disabled', user, disabled);
  const numbers = groups.flatMap((group) => numberIn(group, 'gidnumber') ?? []);
  const home = account['homedirectory']?.[0] ?? '';
  return checkUid({ user, uid, gid, groups: supplementary(numbers, gid), home }, minUid);
}

/** What the configuration says of one user. */
export interface UserRule {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string;
  readonly work: string;
  readonly disabled: boolean;
}

/** @throws ForbiddenError for the disabled, and for root and accounts of the system. */
export function identityByRule(user: string, rule: UserRule, minUid: number): PosixIdentity {
  if (rule.disabled) throw refused('identity.disabled', user, 'the configuration has disabled its account');
  const { uid, gid, groups, home, work } = rule;
  const identity = { user, uid, gid, groups: supplementary(groups, gid), home };
  return checkUid(work === '' ? identity : { ...identity, work }, minUid);
}

/** @throws ForbiddenError for root and accounts of the system: nobody's programs run as these. */
export function checkUid(identity: PosixIdentity, minUid: number): PosixIdentity {
  const { user, uid } = identity;
  if (uid >= minUid) return identity;
  throw refused('identity.system', user, `uid ${uid} is the system's; programs run from ${minUid} on`);
}

export function unknownUser(user: string, why: string): ForbiddenError {
  return refused('identity.unknown', user, why);
}

function supplementary(groups: readonly number[], gid: number): readonly number[] {
  return [...new Set(groups)].filter((number) => number !== gid).toSorted((a, b) => a - b);
}

/** Letter by letter: a directory takes upper and lower case for the same. */
export function isAccountOf(user: string, account: DirectoryEntry): boolean {
  return account['uid']?.includes(user) === true;
}

/** By what directories mark an account that may not be used. */
function disabledBy(account: DirectoryEntry, now: Date): string | undefined {
  const expire = numberIn(account, 'shadowexpire');
  if (expire !== undefined && expire >= 0 && expire * dayMs <= now.getTime()) return 'its account has expired';
  const shell = account['loginshell']?.[0] ?? '';
  if (/\/(?:nologin|false)$/.test(shell)) return `its login shell is ${shell}`;
  if (account['nsaccountlock']?.[0]?.toLowerCase() === 'true') return 'its account is locked';
  if (account['pwdaccountlockedtime'] !== undefined) return 'its account is locked';
  return undefined;
}

function numberIn(entry: DirectoryEntry, name: string): number | undefined {
  const text = entry[name]?.[0] ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function refused(code: 'identity.unknown' | 'identity.disabled' | 'identity.system', user: string, why: string) {
  return new ForbiddenError(code, `User ${JSON.stringify(user)} runs nothing here: ${why}`);
}
