/** Settings of who owners of actors are on file systems, and which directories their programs see. */

import {
  choice,
  duration,
  flag,
  integer,
  integerOrNone,
  integers,
  named,
  path,
  table,
  text,
  words,
} from './setting.ts';

const second = 1_000;
const hour = 3_600 * second;

export const shortName = { pattern: '^[a-z0-9][a-z0-9-]*$', expects: 'lower-case letters, digits and hyphens' };
export const tenantName = {
  pattern: '^[A-Z0-9][A-Z0-9_.-]*$',
  expects: 'upper-case letters, digits, dots, hyphens and underscores',
};
const pathOrNothing = { pattern: '^(/|$)', expects: 'an absolute path, or nothing' };
const id = { min: 0, max: 4_294_967_294 };

const user = table('Who one user is on file systems, before any directory is asked.', {
  uid: integer('User id.', id),
  gid: integer('Group id.', id),
  groups: integers('Supplementary groups.', id, { default: [] }),
  home: text('Home directory.', { ...pathOrNothing, default: '' }),
  work: text('Work directory; empty: the one by identity.work.', { ...pathOrNothing, default: '' }),
  disabled: flag('Whether the user runs nothing any more.', { default: false }),
});

/** Of a tenant, in place of those of `identity`. */
export const ownerSettings = {
  actor_uid: integerOrNone(
    'User id of programs in place of identity.actor_uid; with actor_gid, and then with actor_home.',
    {
      ...id,
      default: null,
    },
  ),
  actor_gid: integerOrNone('Group id in place of identity.actor_gid.', { ...id, default: null }),
  actor_home: text('Home directory in place of identity.actor_home.', { ...pathOrNothing, default: '' }),
  work: text('Work directories in place of identity.work.', { default: '' }),
} as const;

export const tenantUsers = named(
  'Users of the tenant, by name; they stand before the directory.',
  user,
  { pattern: '^[^/\\0]+$', expects: 'the name of a user' },
  { default: {} },
);

export const identity = table('Who owners of actors are on file systems, where neither tenant nor directory says so.', {
  min_uid: integer("User ids below it are the system's: nobody of these runs anything, whoever says so.", {
    min: 1,
    max: id.max,
  }),
  actor_uid: integerOrNone(
    'User id of programs whose owner has none of their own, with actor_gid; "none" is the user of the image, often root.',
    id,
  ),
  actor_gid: integerOrNone('Group id of these programs, their only group.', id),
  actor_home: text('Home directory of that user, for {home} in mounts.', pathOrNothing),
  work: text('Work directories of all users, for {work} in mounts; takes {username}, {tenant} and {home}.'),
});

export const directory = table('LDAP directory that says who users are on file systems; without one "identity" does.', {
  url: text('Its address; empty asks none.', {
    pattern: '^(ldaps?://[^\\s/]+)?$',
    expects: 'an ldap:// or ldaps:// URL, or nothing',
  }),
  start_tls: flag('Whether an ldap:// connection is encrypted before anything is said.'),
  ca_file: path('Certificate of the authority that signed its own, in PEM; empty takes those the system knows.'),
  bind_dn: text('Account to ask as; empty asks as nobody.'),
  bind_password: text('Its password; better as ABACO_DIRECTORY_BIND_PASSWORD_FILE.', { secret: 'whole' }),
  people: text('Where accounts are (posixAccount).'),
  groups: text('Where groups are (posixGroup, with members by memberUid or by member).'),
  tenants: words('Tenants whose users it knows; empty: all. Of others it is not asked.', tenantName),
  timeout: duration('How long an answer may take.', { min: 100, max: 60 * second }),
  keep: duration('How long an answer is good; a change there takes effect that late.', { min: 0, max: hour }),
});

const mountPath = {
  pattern: '^(/|\\{(home|work|tasdir)\\})',
  expects: 'an absolute path, or one that begins with {home}, {work} or {tasdir}',
};
const mountSource = {
  pattern: '^(/|\\{(home|work|tasdir)\\}|nfs://[A-Za-z0-9.-]+/|$)',
  expects: 'an absolute path, one that begins with {home}, {work} or {tasdir}, or nfs://SERVER/PATH',
};

const mount = table('One directory that containers see.', {
  container: text(
    'Where programs find it. {username} and {tenant} stand for those of the owner, {home} and {work} for their directories; a mount that needs one the owner lacks is left out.',
    mountPath,
  ),
  mode: choice('"ro" or "rw"', ['ro', 'rw'], { default: 'ro' }),
  path: text(
    'The directory, on the hosts of all launchers that "paths" does not name; takes the same words. Empty: those have none. It has to be there: nobody makes it.',
    { ...mountSource, default: '' },
  ),
  paths: named('The directory, by launcher.', text('The directory.', mountSource), shortName, { default: {} }),
  nfs_options: text('How a directory nfs://SERVER/PATH is mounted, by engines that can; as mount.nfs(8) has it.', {
    pattern: '^[a-z0-9_=.,:/-]*$',
    expects: 'options with commas between them',
    default: 'nfsvers=4.2,nosuid,nodev',
  }),
  tenants: words('Tenants that have it; empty: all.', tenantName, { default: [] }),
  privileged: flag('Whether only privileged actors have it.', { default: false }),
});

export const mounts = named('Directories that containers see, by name.', mount, shortName);
