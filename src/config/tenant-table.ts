/** Settings of one tenant, and of what registries ask of it. */

import { type Static, Type } from 'typebox';
import { defaultTokens } from './compat-table.ts';
import { ownerSettings, tenantUsers } from './owner-settings.ts';
import { bytesOrNone, choice, durationOrNone, flag, named, path, table, text } from './setting.ts';

const second = 1_000;

export const httpUrl = { pattern: '^(https?://[^\\s/]+.*)?$', expects: 'an http:// or https:// URL, or nothing' };

export const registry = table('Credentials for an image registry.', {
  username: text('Account to pull with; empty pulls without one.', { default: '' }),
  password: text('Its password; better in a file.', { secret: 'whole', default: '' }),
  password_file: path('File that holds the password.', { default: '' }),
  insecure: flag('Plain http, or a certificate nobody knows.', { default: false }),
});

export const registryName = { pattern: '^[A-Za-z0-9.-]+(:\\d+)?$', expects: 'a host, or host:port' };

const imagePattern = text('A pattern: * within a part of the name, ? for one character of it, ** for anything.', {
  pattern: '^\\S+$',
  expects: 'a pattern such as "registry.example.org/**"',
});

export const tenant = table('An organisation; everything belongs to one.', {
  mode: choice(
    '"jwt" asks for a token by the key of the tenant; "none" for nothing, so it is for loopback only.',
    ['jwt', 'none'],
    { default: 'jwt' },
  ),
  public_key: text("Key that the tenant's tokens are signed by: RSA, PEM or the base64 of its DER.", { default: '' }),
  public_key_file: path('File that holds it.', { default: '' }),
  development_key: text('Private key that "abaco token mint" signs with; better in a file.', {
    secret: 'whole',
    default: '',
  }),
  development_key_file: path('File that holds it; its public half is the key of the tenant where none is given.', {
    default: '',
  }),
  api_server: text('Base of the links in its answers, and where its containers reach us; empty: those of [service].', {
    ...httpUrl,
    default: '',
  }),
  case: choice(
    'Spelling of field names in its answers; "service" is that of service.case.',
    ['service', 'snake', 'camel'],
    {
      default: 'service',
    },
  ),
  default_roles: text('Roles of users whose token tells none, separated by commas.', { default: 'Internal/everyone' }),
  default_token: choice('"token" of its actors that say nothing, in place of compat.default_token.', defaultTokens, {
    otherwise: ['compat', 'default_token'],
  }),
  log_keep: durationOrNone('How long logs of its actors can be read, in place of logs.keep.', {
    min: second,
    otherwise: ['logs', 'keep'],
  }),
  log_keep_limit: durationOrNone('The longest its actors may ask for, in place of logs.keep_limit.', {
    min: second,
    otherwise: ['logs', 'keep_limit'],
  }),
  max_message_bytes: bytesOrNone('Largest message of any kind; "none" leaves that to [messages].', {
    min: 1,
    default: null,
  }),
  images_allow: Type.Array(imagePattern, {
    default: [],
    description: 'Images it may use, as registry/name, path or "oras://…", without tags; nothing allows all.',
  }),
  images_deny: Type.Array(imagePattern, { default: [], description: 'Images it may not use, whatever is allowed.' }),
  ...ownerSettings,
  users: tenantUsers,
  registries: Type.Unsafe<Readonly<Record<string, Static<typeof registry>>>>({
    ...named('Credentials for registries that are those of this tenant alone.', registry, registryName),
    default: {},
  }),
});
