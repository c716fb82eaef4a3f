/** Actors on the wire (contract §7.1). The request schema is also what the lenient reader goes by. */

import { type Static, Type } from 'typebox';
import { reference, time, wait } from './common.ts';
import { resources, resourcesRequest } from './resources.ts';

/** What each attribute means. That of a required one stands in error messages, so its wording is the contract's. */
const about = {
  image: 'Reference to image on docker hub for this actor.',
  name: 'A name for people; need not be unique. Set at registration only.',
  description: 'What the actor does.',
  stateless: 'False for an actor that keeps state: it runs one message at a time, in order.',
  type: 'Declared type of its results: none, bin or json. Stored, never acted on.',
  link: 'Actor, by id or alias, that gets the events of this one as messages.',
  webhook: 'URL that the events of this actor are posted to.',
  hints: 'Hints for those who run the service. The characters " \' { } [ ] are not allowed.',
  privileged: "Docker's privileged mode, and the mounts of privileged actors.",
  max_workers: 'Most messages of a stateless actor that run at once.',
  mem_limit: 'Memory of a container, as in 512m or 1g; -1 sets no limit. What a scheduler is asked for, see resources.',
  max_cpus: 'Processors of a container in billionths (1000000000 is one); -1 sets no limit. See resources.',
  use_container_uid: "Run as the image's own user.",
  default_environment: 'Environment variables of every execution, under those of the message.',
  queue: 'Queue the actor is served from.',
  log_ex: 'Seconds to keep logs after an execution has ended.',
  cron_schedule:
    'When it gets a message by itself, in UTC: "2027-01-31 06 + 2 days" or "now + 1 hour"; hours, days, weeks, months.',
  cron_on: 'Whether the schedule is on: after registration it is, after an update only where that says so.',
  launcher:
    'Which configured launcher runs it; otherwise the one of its queue, else the default. Another than that of its queue is for privileged users.',
  keep_scratch: 'Keep the run directory of each execution on the cluster for a while, for its owner to look into.',
} as const;

const optional = {
  text: (description: string, value = '') => Type.Optional(Type.String({ description, default: value })),
  textOrNull: (description: string) =>
    Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'], description, default: null })),
  integerOrNull: (description: string) =>
    Type.Optional(Type.Unsafe<number | null>({ type: ['integer', 'null'], description, default: null })),
  flag: (description: string, value = false) => Type.Optional(Type.Boolean({ description, default: value })),
  mapping: (description: string) =>
    Type.Optional(
      Type.Unsafe<Readonly<Record<string, unknown>>>({
        type: 'object',
        additionalProperties: true,
        description,
        default: {},
      }),
    ),
};

/** Of what the server works out. */
const shownAs = 'As it was when the actor was last registered or updated;';

export const actorRequest = Type.Object(
  {
    image: Type.String({ description: about.image }),
    name: optional.textOrNull(about.name),
    description: optional.text(about.description),
    stateless: optional.flag(about.stateless, true),
    type: optional.text(about.type, 'none'),
    link: optional.text(about.link),
    webhook: optional.text(about.webhook),
    token: Type.Optional(
      Type.Unsafe<boolean | null>({
        type: ['boolean', 'null'],
        description: 'Whether an OAuth token is wanted; every execution gets a token of its own in any case.',
        default: null,
      }),
    ),
    hints: Type.Optional(
      Type.Array(Type.String(), {
        description: about.hints,
        default: [],
      }),
    ),
    privileged: optional.flag(about.privileged),
    max_workers: optional.integerOrNull(about.max_workers),
    mem_limit: optional.textOrNull(about.mem_limit),
    max_cpus: optional.integerOrNull(about.max_cpus),
    use_container_uid: optional.flag(about.use_container_uid),
    default_environment: optional.mapping(about.default_environment),
    queue: optional.text(about.queue, 'default'),
    log_ex: optional.integerOrNull(about.log_ex),
    cron_schedule: optional.textOrNull(about.cron_schedule),
    cron_on: optional.flag(about.cron_on),
    launcher: optional.textOrNull(about.launcher),
    resources: resourcesRequest,
    keep_scratch: optional.flag(about.keep_scratch),
  },
  {
    $id: 'ActorRequest',
    description: 'What a user sets of an actor. Names may be given in snake or in camel form.',
    examples: [
      { image: 'debian:trixie-slim' },
      {
        image: 'registry.example.org/lab/simulate:2',
        name: 'simulate',
        description: 'One step of the simulation.',
        default_environment: { STEPS: '100' },
        queue: 'hpc',
        resources: { cpus: 4, memory: '16g', walltime: '01:30:00' },
      },
    ],
  },
);

export type ActorRequest = Static<typeof actorRequest>;

export const actorUpdateRequest = Type.Object(
  {
    ...actorRequest.properties,
    force: Type.Optional(
      Type.Unsafe<unknown>({
        type: ['boolean', 'string'],
        description: 'Makes a new revision although the image has the same name. Any text that is not empty is true.',
        default: false,
      }),
    ),
  },
  {
    $id: 'ActorUpdateRequest',
    description:
      'A full replacement: what is left out returns to its default, or stays where the setting compat.put is "merge".',
    examples: [{ image: 'debian:trixie-slim', description: 'Counts words.', force: true }],
  },
);

const mount = Type.Object({
  host_path: Type.String({ description: 'Directory on the host, or nfs://SERVER/PATH.' }),
  container_path: Type.String({ description: 'Where programs find it.' }),
  mode: Type.Union([Type.Literal('ro'), Type.Literal('rw')], { description: 'Read-only or read-write.' }),
});

const orNull = {
  text: (description: string) => Type.Union([Type.String(), Type.Null()], { description }),
  integer: (description: string) => Type.Union([Type.Integer(), Type.Null()], { description }),
};

export const actorExample = {
  _links: {
    self: 'https://hpc.example.org/actors/v2/Dg84VrMjvPRB',
    owner: 'https://hpc.example.org/profiles/v2/jane',
    executions: 'https://hpc.example.org/actors/v2/Dg84VrMjvPRB/executions',
  },
  id: 'Dg84VrMjvPRB',
  name: 'wordcount',
  image: 'debian:trixie-slim',
  description: 'Counts words.',
  stateless: true,
  type: 'none',
  link: '',
  webhook: '',
  token: false,
  hints: [],
  privileged: false,
  max_workers: null,
  mem_limit: null,
  max_cpus: null,
  use_container_uid: false,
  default_environment: {},
  queue: 'default',
  log_ex: null,
  cron_schedule: null,
  cron_on: false,
  cron_next_ex: null,
  state: {},
  status: 'READY',
  status_message: ' ',
  owner: 'jane',
  revision: 1,
  mounts: [{ host_path: '/home/jane', container_path: '/work', mode: 'rw' }],
  uid: '1001',
  gid: '1001',
  tasdir: '/home/jane',
  create_time: '2026-05-01T14:45:41.591Z',
  last_update_time: '2026-05-01T14:45:41.591Z',
} as const;

export const actor = Type.Object(
  {
    _links: Type.Object({
      self: Type.String({ format: 'uri' }),
      owner: Type.String({ format: 'uri' }),
      executions: Type.String({ format: 'uri' }),
    }),
    id: Type.String({ description: 'Hash id of the actor.' }),
    name: orNull.text(about.name),
    image: Type.String({
      description:
        'Image of a registry; on clusters also oras://NAME, docker-daemon:NAME, or the absolute path of a SIF (/path/to.sif).',
    }),
    description: Type.String({ description: about.description }),
    stateless: Type.Boolean({ description: about.stateless }),
    type: Type.String({ description: about.type }),
    link: Type.String({ description: about.link }),
    webhook: Type.String({ description: about.webhook }),
    token: Type.Union([Type.Boolean(), Type.String()], { description: 'Text where it comes from the configuration.' }),
    hints: Type.Array(Type.String(), { description: about.hints }),
    privileged: Type.Boolean({ description: about.privileged }),
    max_workers: orNull.integer(about.max_workers),
    mem_limit: orNull.text(about.mem_limit),
    max_cpus: orNull.integer(about.max_cpus),
    use_container_uid: Type.Boolean({ description: about.use_container_uid }),
    default_environment: Type.Record(Type.String(), Type.Unknown(), {
      description: about.default_environment,
    }),
    queue: Type.String({ description: about.queue }),
    log_ex: orNull.integer(about.log_ex),
    cron_schedule: orNull.text(about.cron_schedule),
    cron_on: Type.Boolean({ description: about.cron_on }),
    cron_next_ex: orNull.text('When the schedule is due next.'),
    state: Type.Unknown({ description: 'The state as it was last set; {} at first and for stateless actors.' }),
    status: Type.Union(
      [Type.Literal('SUBMITTED'), Type.Literal('READY'), Type.Literal('ERROR'), Type.Literal('SHUTTING_DOWN')],
      { description: 'READY once its image can be started.' },
    ),
    status_message: Type.String({ description: 'What is wrong, or what is waited for; one blank once it is READY.' }),
    owner: Type.String({ description: 'Who registered it.' }),
    revision: Type.Integer({ description: 'Counts changes of the image.' }),
    mounts: Type.Array(mount, {
      description: `Directories that its containers see. ${shownAs} starts work them out anew.`,
    }),
    uid: orNull.text(`User id of its programs; null is the user of the image. ${shownAs} starts ask for it anew.`),
    gid: orNull.text('Group id of its programs; as uid.'),
    tasdir: orNull.text('Home directory of its owner, where known; as uid.'),
    create_time: time('When it was registered.'),
    last_update_time: time('When it was last registered or updated.'),
    digest: Type.Optional(Type.String({ description: 'Digest that this revision runs, once it is pinned.' })),
    launcher: Type.Optional(Type.String({ description: 'The launcher it asked for, if it asked for one.' })),
    resources,
    keep_scratch: Type.Optional(Type.Boolean({ description: about.keep_scratch })),
    wait: Type.Optional(wait),
  },
  {
    $id: 'Actor',
    description: 'An actor: a registered image with its settings, state and mailbox.',
    examples: [actorExample],
  },
);

export const actorRef = reference('Actor');
