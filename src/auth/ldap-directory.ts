/** People of a campus, as their directory knows them: LDAP with TLS, asked anew once in a while. */

import { readFileSync } from 'node:fs';
import { AndFilter, Client, type Entry, EqualityFilter } from 'ldapts';
import { asError, ConfigError, ServiceError, UnavailableError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { type DirectoryEntry, decideIdentity, type PosixIdentity } from './posix-identity.ts';

/** Who the owner of an actor is. Without a directory nobody is anybody, and the configuration says who runs programs. */
export interface Identities {
  /** @throws ForbiddenError `identity.*`; UnavailableError when the directory does not answer. */
  of(user: string): Promise<PosixIdentity | undefined>;
}

export interface DirectorySettings {
  /** `ldap://` (then with StartTLS, unless `startTls` says otherwise) or `ldaps://`; empty is no directory. */
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

export function createIdentities(settings: DirectorySettings, clock: Clock): Identities {
  const known = new Map<string, Known>();
  if (settings.url === '') return { of: async () => undefined };
  const tlsOptions = settings.caFile === '' ? {} : { ca: readCertificate(settings.caFile) };
  return {
    async of(user) {
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
    if (!secure && settings.startTls) await client.startTLS(tlsOptions);
    if (settings.bindDn !== '') await client.bind(settings.bindDn, settings.bindPassword);
    const accounts = await search(client, settings.people, { objectClass: 'posixAccount', uid: user });
    const groups = await search(client, settings.groups, { objectClass: 'posixGroup', memberUid: user });
    return decideIdentity(user, accounts, groups, { minUid, now: clock.now() });
  } catch (thrown) {
    if (thrown instanceof ServiceError) throw thrown;
    const reason = asError(thrown).message || asError(thrown).name;
    throw new UnavailableError('identity.unavailable', `Directory "${url}" does not answer: ${reason}`, {
      cause: thrown,
    });
  } finally {
    await client.unbind().catch(() => undefined);
  }
}

/** Values are written into the filter by the library, so that no name can say more than a name. */
async function search(
  client: Client,
  base: string,
  wanted: Readonly<Record<string, string>>,
): Promise<readonly DirectoryEntry[]> {
  const filters = Object.entries(wanted).map(([attribute, value]) => new EqualityFilter({ attribute, value }));
  const { searchEntries } = await client.search(base, { scope: 'sub', filter: new AndFilter({ filters }) });
  return searchEntries.map(textsOf);
}

function textsOf(entry: Entry): DirectoryEntry {
  return Object.fromEntries(
    Object.entries(entry).map(([name, values]) => [
      name.toLowerCase(),
      [values].flat().map((value) => value.toString()),
    ]),
  );
}
