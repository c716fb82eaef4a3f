/** Workers on the wire (contract §7.11). */

import { Type } from 'typebox';
import { actorParams, reference, time, timeOrAbsent } from './common.ts';

export const workersRequest = Type.Object(
  { num: Type.Optional(Type.Integer({ description: 'How many workers there are to be; 0 counts as 1.', default: 1 })) },
  { $id: 'WorkersRequest', description: 'How many workers an actor is to have at least.', examples: [{ num: 2 }] },
);

const orNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const workerExample = {
  id: 'epWMpwYa36PA',
  ch_name: 'worker_epWMpwYa36PA',
  cid: null,
  host_id: 'node-1',
  host_ip: null,
  location: 'local',
  image: 'debian:trixie-slim',
  tenant: 'PHYSICS',
  status: 'READY',
  create_time: '2026-05-01T14:45:41.602Z',
  last_health_check_time: '2026-05-01T14:46:01.610Z',
  last_execution_time: '2026-05-01T14:45:42.104Z',
} as const;

export const worker = Type.Object(
  {
    id: Type.String({ description: 'Hash id of the worker.' }),
    ch_name: Type.String({ description: 'Name of its command channel in the original.' }),
    cid: orNull('Container of the worker; ours has none.'),
    host_id: Type.String({ description: 'The machine its supervisor runs on.' }),
    host_ip: orNull('Address of that machine, where known.'),
    location: Type.String({ description: 'The launcher it starts containers with.' }),
    image: Type.String({ description: 'Image of the actor.' }),
    tenant: Type.String({ description: 'Tenant of the actor.' }),
    status: Type.Union(
      [Type.Literal('READY'), Type.Literal('BUSY'), Type.Literal('SHUTDOWN_REQUESTED'), Type.Literal('SHUTTING_DOWN')],
      { description: 'READY waits for a message, BUSY runs one.' },
    ),
    create_time: time('When it started.'),
    last_health_check_time: time('When its supervisor last said that it lives.'),
    last_execution_time: timeOrAbsent('When it last took a message.'),
  },
  {
    $id: 'Worker',
    description: 'A loop of the service that serves one actor, one execution at a time.',
    examples: [workerExample],
  },
);

export const workerRef = reference('Worker');

/** As searches show it. */
export const foundWorker = Type.Object({
  ...worker.properties,
  actor_id: Type.String({ description: 'Hash id of its actor.' }),
});

export const workerParams = Type.Object({
  actor_id: actorParams.properties.actor_id,
  worker_id: Type.String({ description: 'Hash id of the worker.' }),
});
