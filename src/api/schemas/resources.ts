/** `resources` of an actor on the wire. `api/resources-field.ts` reads it, and takes more spellings than are shown here. */

import { Type } from 'typebox';

const about = {
  nodes: 'Nodes of one execution.',
  tasks: 'Processes of its program over all nodes, started together by the scheduler; one for each node if not given.',
  cpus: 'Processors of each task.',
  memory: 'Memory of each node: as in 2g or "512 MiB", or a number of bytes.',
  gpus: 'GPUs of each node: a count, or kind and count as in a100:2.',
  walltime:
    'Longest run: HH:MM:SS, D-HH:MM:SS, as in 1h30m, or a number of minutes. Its program is told to end before.',
  partition: 'Partition of the scheduler, or several with commas.',
  account: 'Account that is charged.',
  qos: 'Quality of service.',
  constraint: 'Features its nodes must have, as rack1&fast.',
  reservation: 'Reservation it runs in.',
} as const;

const description =
  'What it asks of a scheduler: how much, and where. What is left out is given by its queue, the launcher, or the scheduler. ' +
  'It goes before mem_limit and max_cpus, which are asked for where it says nothing. On a launcher without a scheduler cpus, ' +
  'memory and walltime are limits that can only lower those of the site; the rest is refused.';

const example = { nodes: 2, tasks: 8, cpus: 4, memory: '16g', walltime: '01:30:00', partition: 'normal' };

const numberOrText = (text: string) => ({ type: ['integer', 'string'], description: text });
const word = (text: string) => ({ type: 'string', description: text });

/** As a client gives it. */
export const resourcesRequest = Type.Optional(
  Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    description,
    default: {},
    examples: [example, { gpus: 'a100:2', walltime: 30 }],
    properties: {
      nodes: numberOrText(about.nodes),
      tasks: numberOrText(about.tasks),
      cpus: numberOrText(about.cpus),
      memory: numberOrText(about.memory),
      gpus: numberOrText(about.gpus),
      walltime: numberOrText(about.walltime),
      partition: word(about.partition),
      account: word(about.account),
      qos: word(about.qos),
      constraint: word(about.constraint),
      reservation: word(about.reservation),
    },
  }),
);

const shown = {
  integer: (text: string) => Type.Optional(Type.Integer({ description: text })),
  text: (text: string) => Type.Optional(Type.String({ description: text })),
};

/** As it is shown. */
export const resources = Type.Optional(
  Type.Object(
    {
      nodes: shown.integer(about.nodes),
      tasks: shown.integer(about.tasks),
      cpus: shown.integer(about.cpus),
      memory: shown.text(about.memory),
      gpus: Type.Optional(Type.Union([Type.Integer(), Type.String()], { description: about.gpus })),
      walltime: shown.text('Longest run, HH:MM:SS.'),
      partition: shown.text(about.partition),
      account: shown.text(about.account),
      qos: shown.text(about.qos),
      constraint: shown.text(about.constraint),
      reservation: shown.text(about.reservation),
    },
    { description: 'What it asks of a scheduler, if it asks for anything.', examples: [example] },
  ),
);
