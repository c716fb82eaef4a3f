/** What administrators are shown, of all tenants (contract §7.15). */

import { Type } from 'typebox';
import { actor } from './actor.ts';
import { worker } from './worker.ts';

/** Beyond the contract: without them the first thousand are listed. */
export const adminPage = Type.Object({
  skip: Type.Optional(Type.Integer({ minimum: 0, default: 0, description: 'Leaves out as many.' })),
  limit: Type.Optional(
    Type.Integer({ minimum: 0, default: 1_000, description: 'Most that are given; more than 1000 counts as 1000.' }),
  ),
});

const { _links: _actorLinks, wait: _wait, ...ofActor } = actor.properties;

const internalIds = {
  db_id: Type.String({ description: 'Internal id: tenant and hash id.' }),
  tenant: Type.String({ description: 'Its tenant.' }),
  api_server: Type.String({ description: 'Base of links.' }),
};

export const adminActor = Type.Object({
  ...ofActor,
  ...internalIds,
  workers: Type.Array(Type.Object(worker.properties), { description: 'Workers that serve it now.' }),
  messages: Type.Integer({ description: 'Messages that wait.' }),
  executions: Type.Integer({ description: 'Executions there are and were.' }),
  runtime: Type.Number({ description: 'Whole seconds of those that have ended.' }),
});

const count = (description: string) => Type.Integer({ description });

export const adminWorkers = Type.Object({
  summary: Type.Object({
    total_workers: count('Workers there are.'),
    ready_workers: count('Those that wait for a message.'),
    requested_workers: count('Those asked for and not started; supervisors start them at once, so there are none.'),
    error_workers: count('Those in error; a worker of ours ends instead.'),
    busy_workers: count('Those that run an execution.'),
    actors_no_workers: count('Actors that none serves.'),
  }),
  workers: Type.Array(
    Type.Object({
      ...worker.properties,
      actor_id: Type.String({ description: 'Hash id of its actor.' }),
      actor_dbid: Type.String({ description: 'Internal id of its actor.' }),
    }),
  ),
});

const sums = (of: string, whose: string) => ({
  [`total_actors_${of}`]: count(`Actors${whose}.`),
  [`total_actors_${of}_with_executions`]: count(`Those of them with executions that have ended.`),
  [`total_executions_${of}`]: count(`Their executions that have ended.`),
  [`total_execution_runtime_${of}`]: Type.Number({ description: 'Whole seconds of these.' }),
  [`total_execution_cpu_${of}`]: Type.Number({ description: 'Processor time of these, in nanoseconds.' }),
  [`total_execution_io_${of}`]: Type.Number({ description: 'Bytes read and written by these.' }),
});

export const adminExecutions = Type.Object({
  summary: Type.Object({
    ...sums('all', ' that were ever registered'),
    ...sums('existing', ' there are'),
  }),
  actors: Type.Array(
    Type.Object({
      actor_id: Type.String({ description: 'Hash id of the actor.' }),
      owner: Type.String({ description: 'Who registered it.' }),
      image: Type.String({ description: 'Its image.' }),
      total_executions: count('Its executions that have ended.'),
      total_execution_cpu: Type.Number({ description: 'Their processor time, in nanoseconds.' }),
      total_execution_io: Type.Number({ description: 'Bytes read and written by them.' }),
      total_execution_runtime: Type.Number({ description: 'Their whole seconds.' }),
    }),
    { description: 'Actors there are.' },
  ),
});
