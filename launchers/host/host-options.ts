/** How a cluster is reached: what every kind that works through a login node has in its table. */

import Type from 'typebox';
import { Value } from 'typebox/value';

const setting = (kind: 'path' | 'text' | 'duration' | 'integer' | 'flag') => ({ setting: { kind, none: false } });

const optionalPath = (description: string) => Type.String({ ...setting('path'), default: '', description });

const account = '^[A-Za-z_][A-Za-z0-9_.-]*$';
const hostName = '^[A-Za-z0-9.:-]+$';

const duration = (description: string, value: number, most = 3_600_000) =>
  Type.Integer({ ...setting('duration'), default: value, minimum: 10, maximum: most, description });

const jump = Type.Object(
  {
    host: Type.String({ ...setting('text'), pattern: hostName, description: 'Its name or address.' }),
    port: Type.Integer({
      ...setting('integer'),
      default: 22,
      minimum: 1,
      maximum: 65_535,
      description: 'Port of its SSH server.',
    }),
    user: Type.String({ ...setting('text'), pattern: account, description: 'Account there.' }),
    key_file: optionalPath('Private key of that account; empty takes that of the login node.'),
  },
  { description: 'A host that leads to another.', additionalProperties: false },
);

export const hostSettings = {
  host: Type.String({ ...setting('text'), pattern: hostName, description: 'Login node of the cluster.' }),
  port: Type.Integer({
    ...setting('integer'),
    default: 22,
    minimum: 1,
    maximum: 65_535,
    description: 'Port of its SSH server.',
  }),
  user: Type.String({
    ...setting('text'),
    pattern: account,
    description: 'Account the service comes in with.',
  }),
  transport: Type.Enum(['ssh2', 'openssh'], {
    setting: { kind: 'choice', none: false },
    default: 'ssh2',
    description:
      '"ssh2" comes in by itself with a key; "openssh" goes through a login that a person makes, by "abaco clusters login".',
  }),
  key_file: optionalPath(
    'Private key of that account; needed by "ssh2", and for "openssh" where ssh_config names none.',
  ),
  ssh_config: optionalPath(
    'File in the form of ssh_config for logins by "openssh"; empty reads none, not even that of the account.',
  ),
  login_idle: duration('A login by "openssh" ends after so long without use.', 8 * 3_600_000, 30 * 86_400_000),
  jump: Type.Array(jump, {
    default: [],
    description: 'Hosts on the way to the login node, the nearest first; known by the same file.',
  }),
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
  keys_dir: optionalPath(
    'Directory with a key of each user, encrypted, in place of "become"; see "abaco clusters keys".',
  ),
  keys_secret_file: optionalPath('File with the 32 bytes that encrypt them, as they are or in base64.'),
  directory: Type.String({
    setting: { kind: 'text', none: false, expects: 'an absolute path of the host' },
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

/** Whether the options of a launcher are of one that works through a login node. */
export function isHostOptions(options: Readonly<Record<string, unknown>>): options is HostOptions & typeof options {
  return Value.Check(hostOptions, options);
}
