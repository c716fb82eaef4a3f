/** Every setting of the service, described. `config/default.toml` gives each its default and repeats its description. */

import { type Static, Type } from 'typebox';
import type { ConfigOf } from './camel-case.ts';
import { directory, identity, mounts, ownerSettings, shortName, tenantName, tenantUsers } from './owner-settings.ts';
import {
  bytes,
  bytesOrNone,
  choice,
  duration,
  durationOrNone,
  flag,
  integer,
  integerOrNone,
  named,
  path,
  type SchemaNode,
  table,
  text,
  words,
} from './setting.ts';

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;
const kib = 1024;
const mib = 1024 * kib;

const httpUrl = { pattern: '^(https?://[^\\s/]+.*)?$', expects: 'an http:// or https:// URL, or nothing' };
const slurmName = { pattern: '^[A-Za-z0-9_][\\w.+@-]*$', expects: 'a name as Slurm has them' };
const word = { pattern: '^[A-Za-z0-9][\\w.-]*$', expects: 'letters, digits, dots, hyphens and underscores' };
const service = table('The process: where it keeps its data, listens and is reached.', {
  data_dir: path('Home of everything that must survive; empty: $XDG_STATE_HOME/abaco, else ~/.local/state/abaco.'),
  host: text('Address to listen on; anything but loopback needs authentication.', {
    pattern: '^\\S+$',
    expects: 'a host name or an address',
  }),
  port: integer('Port to listen on; 0 takes a free one.', { min: 0, max: 65_535 }),
  public_url: text('Base of the links in answers, as clients reach us; empty: http://HOST:PORT.', httpUrl),
  container_url: text(
    "Base at which containers reach us; empty: api_server of the tenant, else the engine's bridge if public_url or the API in the same process is on loopback, else public_url.",
    httpUrl,
  ),
  default_launcher: text('Runs actors whose queue names no launcher of its own.', shortName),
  drain: duration('How long running executions may finish after the first stop signal.', { min: 0, max: day }),
  tag: text('What answers give as "version".', { pattern: '^\\S+$', expects: 'a word' }),
  case: choice('Spelling of field names in answers; hosted installations of the original used camel.', [
    'snake',
    'camel',
  ]),
});

const registry = table('Credentials for an image registry.', {
  username: text('Account to pull with; empty pulls without one.', { default: '' }),
  password: text('Its password; better in a file.', { secret: 'whole', default: '' }),
  password_file: path('File that holds the password.', { default: '' }),
  insecure: flag('Plain http, or a certificate nobody knows.', { default: false }),
});

const registryName = { pattern: '^[A-Za-z0-9.-]+(:\\d+)?$', expects: 'a host, or host:port' };

const imagePattern = text('A pattern: * within a part of the name, ** for anything.', {
  pattern: '^\\S+$',
  expects: 'a pattern such as "registry.example.org/**"',
});

const defaultTokens = ['false', 'true', 'boolean'] as const;

const tenant = table('An organisation; everything belongs to one.', {
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

const auth = table('Who may call.', {
  default_tenant: text('Tenant of requests that name none.', word),
  user_role: text('Role that lets its holder in; tokens without roles have "Internal/everyone".', {
    pattern: '^[^,]+$',
    expects: 'the name of a role',
  }),
  accept_nonces: flag('Whether nonces let their bearers in.'),
  anonymous_privileged: flag(
    'Whether those who need no token may make privileged actors, which have the socket of the engine: root for every account and program of this machine.',
  ),
});

const redis = table('Live state: actors, mailboxes, leases.', {
  url: text('Address of the one primary; empty starts an embedded redis-server in the data directory.', {
    pattern: '^(rediss?://\\S+|/\\S*)?$',
    expects: 'a redis:// or rediss:// URL, the path of a socket, or nothing',
    secret: 'url',
  }),
  durability: choice(
    '"full" refuses a Redis that answers before it has written to disk; "weak" takes it and says so.',
    ['full', 'weak'],
  ),
  prefix: text('First word of every key, so that installations can share a Redis.', word),
});

const history = table('What has ended: executions, logs, results.', {
  url: text('Address of MongoDB; empty keeps SQLite in the data directory.', {
    pattern: '^(mongodb(\\+srv)?://\\S+)?$',
    expects: 'a mongodb:// or mongodb+srv:// URL, or nothing',
    secret: 'url',
  }),
  batch: integer('Most ended executions written at once; more is faster and takes more memory.', {
    min: 1,
    max: 10_000,
  }),
  interval: duration('How often Redis is drained into the history.', { min: 10, max: hour }),
});

const blobs = table('Bodies of messages, logs and results that are too large for Redis.', {
  dir: path('Directory that every API and supervisor process sees; empty: "blobs" in the data directory.'),
  inline_bytes: bytes('Bodies up to this size stay in Redis and the history; larger ones are files.', {
    min: 0,
    max: mib,
  }),
});

const messages = table('What may be sent to an actor.', {
  max_bytes: bytes('Largest binary message.', { min: 1 }),
  max_text_bytes: bytes(
    'Largest other message; Linux takes no longer environment variable than 131067 bytes and MSG=.',
    {
      min: 1,
      max: 131_067,
    },
  ),
  max_waiting: integer('Most messages waiting for one actor; 0 sets no limit.', { min: 0 }),
  idempotency_keep: duration('How long after its end an execution is returned for a repeated Idempotency-Key.', {
    min: 0,
    max: 365 * day,
  }),
});

const executions = table('One run of an actor for one message.', {
  not_after: duration('An attempt that has not started by then never will; start markers are kept that long.', {
    min: 60 * second,
    max: 365 * day,
  }),
  max_run_time: durationOrNone('Longest run of a program; then TERM, the grace time, KILL.', { min: second }),
  grace: duration('From TERM to KILL.', { min: 0, max: hour }),
  start_failures: integer('Failed starts after which an execution ends as launch-failed.', { min: 1, max: 100 }),
});

const logs = table('What programs write to standard output and error.', {
  max_bytes: bytes('Kept of one log; the rest is cut and the cut is marked.', { min: 0 }),
  keep: durationOrNone('How long logs can be read where the actor says nothing.', { min: second }),
  keep_limit: durationOrNone('The longest an actor may ask for.', { min: second }),
  poll: duration(
    'How often the log of an execution is looked at; of one that is silent a quarter as often, of one that waits less.',
    {
      min: 10,
      max: 60 * second,
    },
  ),
});

const results = table('Chunks an execution hands back.', {
  max_bytes: bytes('Largest single result; the kernel refuses datagrams of more than about 208 KiB.', {
    min: 1,
    max: 212_000,
  }),
  max_total_bytes: bytes('All results of one execution together; what comes after is dropped and counted.', {
    min: 1,
    max: 1024 * mib,
  }),
  max_count: integer('Most results of one execution; what comes after is dropped and counted.', {
    min: 1,
    max: 1_000_000,
  }),
  keep: duration('How long after the end results wait to be read.', { min: second, max: 365 * day }),
});

const workers = table('Loops that serve actors, one execution at a time each.', {
  per_actor: integer(
    'Most workers of one actor, unless the actor says maxWorkers or an administrator asked for more.',
    { min: 1, max: 10_000 },
  ),
  max_queued: integer('Most executions of one actor that are handed to a scheduler, as Slurm.', {
    min: 1,
    max: 100_000,
  }),
  per_host: integer('Most workers of one supervisor, so most containers on its host.', { min: 1, max: 10_000 }),
  lease: duration('A worker silent for so long has lost its message to another.', { min: second, max: hour }),
  extend_every: duration('How often a worker extends its lease; three of these must fit into one lease.', {
    min: 100,
    max: hour,
  }),
  sweep: duration('How often a supervisor looks for lost leases and for what is left over.', { min: 100, max: hour }),
  host_id: text('Name of this host in worker records; empty: the host name.', {
    pattern: '^\\S*$',
    expects: 'a word, or nothing',
  }),
});

const events = table('What actors tell others: messages to the actor they link to, and posts to their webhook.', {
  allow_private: flag('Whether webhooks may lead to addresses that are not public: loopback, private, link-local.'),
  webhook_timeout: duration('How long a webhook may take to answer.', { min: 100, max: 60 * second }),
  webhook_keep: duration('How long an event is tried on a webhook that does not answer, with growing pauses.', {
    min: 0,
    max: 30 * day,
  }),
  link_keep: duration('How long an event waits for room in the mailbox that a link leads to.', {
    min: 0,
    max: 365 * day,
  }),
  signing_key: text('Key that the keys which sign webhooks are made of; empty signs none.', { secret: 'whole' }),
});

const limits = table('Limits of containers and requests; actors may ask for less, privileged ones for more.', {
  memory: bytesOrNone('Memory of a container.', { min: 6 * mib }),
  nano_cpus: integerOrNone('Processors of a container in billionths: 1000000000 is one.', { min: 10_000_000 }),
  pids: integerOrNone('Processes and threads of a container, against those that fork without end.', { min: 2 }),
  sync_wait: duration('Longest wait of a synchronous request for its execution.', { min: second, max: day }),
  header_bytes: bytes('Largest head of a request.', { min: 4 * kib, max: mib }),
  requests_per_user: integer('Most requests of one user within a minute, over all API processes; 0 sets no limit.', {
    min: 0,
    max: 1_000_000,
  }),
  requests_per_tenant: integer('Most requests of all users of a tenant within a minute; 0 sets no limit.', {
    min: 0,
    max: 1_000_000,
  }),
  streams_per_user: integer(
    'Most followed logs, followed executions and synchronous messages of one user at once, at each API process; 0 sets no limit.',
    { min: 0 },
  ),
  actors_per_user: integer('Most actors that one user may have registered; 0 sets no limit.', { min: 0 }),
  actors_per_tenant: integer('Most actors of a tenant; 0 sets no limit.', { min: 0 }),
  listing: integer('Most entries of a listing that has no pages; X-Total-Count says how many there are.', {
    min: 1,
    max: 1_000_000,
  }),
  queued_per_user: integer(
    'Most messages waiting for all actors of one owner; 0 sets no limit. API processes count once a second and may pass it together.',
    { min: 0 },
  ),
  queued_per_tenant: integer('Most messages waiting for all actors of a tenant, counted likewise; 0 sets no limit.', {
    min: 0,
  }),
});

const queue = table('Queue an actor may name.', {
  launcher: text('Runs the actors of this queue; empty: service.default_launcher.', {
    pattern: '^([a-z0-9][a-z0-9-]*)?$',
    expects: 'the name of a launcher, or nothing',
    default: '',
  }),
  who: choice('Who may name this queue: "privileged" users, or every "user".', ['privileged', 'user'], {
    default: 'privileged',
  }),
  tenants: words('Tenants whose users may name it; empty: all.', tenantName, { default: [] }),
  partitions: words(
    'Partitions its actors may ask for, the first is theirs where they name none; empty: any.',
    slurmName,
    { default: [] },
  ),
  accounts: words('Accounts they may ask for; the first is theirs where they name none.', slurmName, { default: [] }),
  qos: words('Qualities of service they may ask for; the first is theirs where they name none.', slurmName, {
    default: [],
  }),
  max_walltime: durationOrNone('Longest walltime they may ask for.', { min: 60 * second, default: null }),
  max_nodes: integerOrNone('Most nodes of one execution.', { min: 1, default: null }),
  max_memory: bytesOrNone('Most memory of a node they may ask for.', { min: 6 * mib, default: null }),
  max_gpus: integerOrNone('Most GPUs of a node they may ask for; 0 gives none.', { min: 0, default: null }),
});

/** A launcher's table as it stands; the kind has its own schema for the rest. */
export type LauncherTable = Readonly<Record<string, unknown>> & { readonly kind: string };

const launcher = Type.Unsafe<LauncherTable>(
  Type.Object(
    { kind: text('Which code runs the containers; each kind has options of its own.', shortName) },
    { description: 'A way to run containers.', additionalProperties: true },
  ),
);

const secrets = table('Values of secret configs, which are encrypted wherever they are kept.', {
  key_file: path(
    'File with the 32 bytes that encrypt them, as they are or in base64; empty: "abaco up" makes one in its data directory.',
  ),
  old_key_files: words('Files with keys of before, which still open what they encrypted.', {
    pattern: '^/',
    expects: 'an absolute path',
  }),
});

const logging = table("The service's own log.", {
  level: choice('Least severe line that is written.', ['fatal', 'error', 'warn', 'info', 'debug', 'trace']),
  pretty: choice('Lines for people instead of JSON; "auto" does so on a terminal.', ['auto', 'always', 'never']),
});

const audit = table('A record of each change: who, as whom, from where, what; the site keeps and rotates it.', {
  file: path('File that each change is appended to as a line of JSON; empty writes none.'),
});

const metrics = table('Numbers for Prometheus, at /metrics.', {
  open_to: choice(
    'Who may read them, without a credential: requests from this host, everyone, or nobody. A proxy is on this host too.',
    ['loopback', 'everyone', 'nobody'],
  ),
});

const compat = table('Ways of the original that some clients rely on.', {
  jwt_millisecond_expiry: choice(
    'What becomes of a token whose expiry counts milliseconds, as some gateways write it: "ignore" never lets it expire.',
    ['check', 'ignore'],
  ),
  error_status: choice(
    "Numbers of errors, and of what was created: the contract's, 400 and 200, or those of HTTP, as 401, 403, 409 and 201.",
    ['contract', 'http'],
  ),
  nonce_ids: choice(
    'Who finds the ids of nonces, which are as good as the nonces, in their listing: who may UPDATE, or all who may READ.',
    ['updaters', 'readers'],
  ),
  absent_times: choice('What stands for a time that there is not, in workers and nonces: the text "None", or null.', [
    'None',
    'null',
  ]),
  config_actors: choice('Which actors a config may name: those its maker may UPDATE, or any of the tenant.', [
    'any',
    'updatable',
  ]),
  default_token: choice(
    '"token" of actors that say nothing; answers show it as this text, or with "boolean" as false.',
    defaultTokens,
  ),
  value_text: choice(
    'How values that are no text are written into variables of programs: as Python repeats them, or as JSON.',
    ['python', 'json'],
  ),
  failed_status: choice(
    'Status of an execution whose program failed, that is ended with another exit code than 0 or was killed.',
    ['COMPLETE', 'ERROR'],
  ),
  listing_query: choice(
    'What a query parameter makes of a listing: a search, or a page of it (limit and offset), other parameters passed over.',
    ['search', 'listing'],
  ),
  message_variables: choice(
    'Which variables a message may carry whose sender may not UPDATE the actor: none that say which code runs or whom it talks to, or any.',
    ['harmless', 'any'],
  ),
  put: choice('What becomes of the settings that a PUT of an actor leaves out: their defaults, or they stay.', [
    'replace',
    'merge',
  ]),
});

export const configSchema = Type.Object(
  {
    service,
    tenants: named(
      'Organisations, by name. Where there are none, any name is one, and nobody has to show a token.',
      tenant,
      tenantName,
    ),
    auth,
    redis,
    history,
    blobs,
    messages,
    executions,
    logs,
    results,
    workers,
    events,
    limits,
    queues: named('Queues that actors may name; an actor that names none is in "default".', queue, word),
    mounts,
    launchers: named('Ways to run containers, by name.', launcher, shortName),
    registries: named(
      'Image registries that want credentials or plain http, or are at no public address, by host:port.',
      registry,
      registryName,
    ),
    secrets,
    logging,
    audit,
    metrics,
    identity,
    directory,
    compat,
  },
  { additionalProperties: false },
);

/** The schema as plain JSON Schema, for code that walks it. */
export const configNode = configSchema as unknown as SchemaNode;

/** What the service is given: camelCase names that end with their unit, frozen. */
export type Config = ConfigOf<Static<typeof configSchema>>;
