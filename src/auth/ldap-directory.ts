/** People of a campus, as their directory knows them: LDAP with TLS, asked anew once in a while. */

import { readFileSync } from 'node:fs';
import { AndFilter, Client, type Entry, EqualityFilter, type Filter, OrFilter, SizeLimitExceededError } from 'ldapts';
import { asError, ConfigError, ServiceError, UnavailableError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { orAborted } from '../lib/or-aborted.ts';
import { type DirectoryEntry, decideIdentity, isAccountOf, type PosixIdentity } from './posix-identity.ts';

export interface Directory {
  /** @throws ForbiddenError `identity.*`; UnavailableError when it does not answer. */
  find(user: string): Promise<PosixIdentity>;
}

export interface DirectorySettings {
  /** `ldap://` (then with StartTLS, unless `startTls` says otherwise) or `ldaps://`. */
  readonly url: string;
  readonly startTls: boolean;
  /** File with the PEM of the authority; empty takes those the system knows. */
  readonly caFile: string;
  readonly bindDn: string;
  readonly bindPassword: string;
  readonly people: string;
  readonly groups: string;
  readonly minUid: number;
  readonly timeoutMs: number;
  /** How long an answer is good. */
  readonly keepMs: number;
}

interface Known {
  readonly answer: Promise<PosixIdentity>;
  readonly untilMs: number;
}

const mostKnown = 10_000;

export function createDirectory(settings: DirectorySettings, clock: Clock): Directory {
  const known = new Map<string, Known>();
  const tlsOptions = settings.caFile === '' ? {} : { ca: readCertificate(settings.caFile) };
  return {
    async find(user) {
      const nowMs = clock.now().getTime();
      const found = known.get(user);
      if (found && found.untilMs > nowMs) return await found.answer;
      if (known.size >= mostKnown) known.clear();
      const answer = lookUp(settings, tlsOptions, user, clock);
      known.set(user, { answer, untilMs: nowMs + settings.keepMs });
      // Trouble that may pass is not kept.
      answer.catch((thrown: unknown) => {
        if (thrown instanceof UnavailableError) known.delete(user);
      });
      return await answer;
    },
  };
}

/** @throws ConfigError */
function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    const path = 'directory.ca_file';
    const reason = (thrown as NodeJS.ErrnoException).code ?? String(thrown);
    throw new ConfigError([
      { path, where: 'configuration', message: `Setting "${path}" names a file that cannot be read: ${reason}` },
    ]);
  }
}

async function lookUp(
  settings: DirectorySettings,
  tlsOptions: { readonly ca?: string },
  user: string,
  clock: Clock,
): Promise<PosixIdentity> {
  const { url, timeoutMs, minUid } = settings;
  const secure = url.startsWith('ldaps:');
  const client = new Client({ url, timeout: timeoutMs, connectTimeout: timeoutMs, ...(secure ? { tlsOptions } : {}) });
  try {
    // The library limits how long each answer may take, and not the handshake after this one.
    if (!secure && settings.startTls) await orAborted(client.startTLS(tlsOptions), AbortSignal.timeout(timeoutMs));
    if (settings.bindDn !== '') await client.bind(settings.bindDn, settings.bindPassword);
    const accounts = await search(client, settings.people, [is('objectClass', 'posixAccount'), is('uid', user)]);
    const groups = await search(client, settings.groups, [is('objectClass', 'posixGroup'), hasMember(user, accounts)]);
    return decideIdentity(user, accounts.map(attributesOf), groups.map(attributesOf), { minUid, now: clock.now() });
  } catch (thrown) {
    if (thrown instanceof ServiceError) throw thrown;
    if (thrown instanceof SizeLimitExceededError) throw tooMany(url, user, thrown);
    const reason = asError(thrown).message || asError(thrown).name;
    throw new UnavailableError('identity.unavailable', `Directory "${url}" does not answer: ${reason}`, {
      cause: thrown,
    });
  } finally {
    await client.unbind().catch(() => undefined);
  }
}

/** Groups name people (RFC 2307, `memberUid`) or their entries (RFC 2307bis, `member`); some directories have both. */
function hasMember(user: string, accounts: readonly FoundEntry[]): Filter {
  const own = accounts.filter(({ attributes }) => isAccountOf(user, attributes));
  const entries = own.flatMap(({ dn }) => [is('member', dn), is('uniqueMember', dn)]);
  return new OrFilter({ filters: [is('memberUid', user), ...entries] });
}

/** The value is written into the filter by the library, so that no name can say more than a name. */
function is(attribute: string, value: string): Filter {
  return new EqualityFilter({ attribute, value });
}

interface FoundEntry {
  readonly dn: string;
  readonly attributes: DirectoryEntry;
}

/** Never some of the groups for all of them: what was left away might be what the user lacks. */
function tooMany(url: string, user: string, cause: Error): UnavailableError {
  const help = 'an operator raises its size limit for the account we ask as';
  const message = `Directory "${url}" does not give all groups of user ${JSON.stringify(user)}: there are more than it gives to anybody; ${help}`;
  return new UnavailableError('identity.unavailable', message, { cause });
}

/** What marks a locked account is operational, so a directory gives it only to who names it (RFC 4511, 4.5.1.8). */
const asked = ['*', 'nsAccountLock', 'pwdAccountLockedTime'];

/** In pages: many a directory gives no more than some hundreds at once. */
async function search(client: Client, base: string, filters: Filter[]): Promise<readonly FoundEntry[]> {
  const paged = { pageSize: 200 };
  const options = { scope: 'sub', filter: new AndFilter({ filters }), attributes: asked, paged } as const;
  const { searchEntries } = await client.search(base, options);
  return searchEntries.map(foundEntry);
}

function attributesOf({ attributes }: FoundEntry): DirectoryEntry {
  return attributes;
}

function foundEntry({ dn, ...attributes }: Entry): FoundEntry {
  const texts = Object.entries(attributes).map(
    ([name, values]) => [name.toLowerCase(), [values].flat().map((value) => value.toString())] as const,
  );
  // The library gives those that were named and are not there as well.
  return { dn, attributes: Object.fromEntries(texts.filter(([, values]) => values.length > 0)) };
}
