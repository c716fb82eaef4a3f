/** How a cluster is reached: what every kind that works through a login node has in its table. */

import Type from 'typebox';

const setting = (kind: 'path' | 'text' | 'duration' | 'integer' | 'flag') => ({ setting: { kind, none: false } });

const duration = (description: string, value: number, most = 3_600_000) =>
  Type.Integer({ ...setting('duration'), default: value, minimum: 10, maximum: most, description });

export const hostSettings = {
  host: Type.String({ ...setting('text'), pattern: '^[A-Za-z0-9.:-]+$', description: 'Login node of the cluster.' }),
  port: Type.Integer({
    ...setting('integer'),
    default: 22,
    minimum: 1,
    maximum: 65_535,
    description: 'Port of its SSH server.',
  }),
  user: Type.String({
    ...setting('text'),
    pattern: '^[A-Za-z_][A-Za-z0-9_.-]*$',
    description: 'Account the service comes in with.',
  }),
  key_file: Type.String({ ...setting('path'), description: 'Private key of that account.' }),
  known_hosts_file: Type.String({
    ...setting('path'),
    description: 'Keys the login node is known by, as in known_hosts of OpenSSH. Another key is never taken.',
  }),
  become: Type.Boolean({
    ...setting('flag'),
    default: true,
    description:
      'Whether the account becomes the owner of an actor by "sudo -n -u"; otherwise it runs its own actors only.',
  }),
  directory: Type.String({
    ...setting('path'),
    pattern: '^/',
    description: 'Directory of the account on the shared file system, which users read: images, the agent.',
  }),
  work: Type.String({
    ...setting('text'),
    pattern: '^/.*\\{username\\}',
    description: "Directory on the shared file system for what runs; {username} stands for the owner's account.",
  }),
  connect_timeout: duration('How long the login node may take to answer.', 10_000),
  login_timeout: duration('How long a login may take.', 30_000),
  idle: duration('An unused connection is closed after so long.', 600_000),
  channels: Type.Integer({
    ...setting('integer'),
    default: 8,
    minimum: 2,
    maximum: 1_000,
    description: "Most channels of one connection; sshd's MaxSessions is 10 where nobody changed it.",
  }),
} as const;

const hostOptions = Type.Object(hostSettings);
export type HostOptions = Type.Static<typeof hostOptions>;
