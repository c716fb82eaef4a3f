/** Every setting of the service, described. `config/default.toml` gives each its default and repeats its description. */

import { type Static, Type } from 'typebox';
import type { ConfigOf } from './camel-case.ts';
import { compat } from './compat-table.ts';
import { directory, identity, mounts, shortName, tenantName } from './owner-settings.ts';
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
import { httpUrl, registry, registryName, tenant } from './tenant-table.ts';

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;
const kib = 1024;
const mib = 1024 * kib;

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
  not_after: duration(
    'An attempt that has not started by then never will; start markers are kept that long, and while it runs.',
    {
      min: 60 * second,
      max: 365 * day,
    },
  ),
  max_run_time: durationOrNone('Longest run of a program; then TERM, the grace time, KILL.', { min: second }),
  grace: duration('From TERM to KILL.', { min: 0, max: hour }),
  start_failures: integer(
    'Failed starts of an execution that are tried again; one more ends it as launch-failed and puts its actor in ERROR.',
    { min: 1, max: 100 },
  ),
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
  who: choice(
    'Who may name this queue: "privileged" users, which holds where nothing is said, or every "user".',
    ['privileged', 'user'],
    {
      default: 'privileged',
    },
  ),
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
