/** What administrators are shown, of all tenants (contract §7.15). */

import { Type } from 'typebox';
import { actor, actorExample } from './actor.ts';
import { worker, workerExample } from './worker.ts';

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

const adminActor = Type.Object({
  ...ofActor,
  ...internalIds,
  workers: Type.Array(Type.Object(worker.properties), { description: 'Workers that serve it now.' }),
  messages: Type.Integer({ description: 'Messages that wait.' }),
  executions: Type.Integer({ description: 'Executions there are and were.' }),
  runtime: Type.Number({ description: 'Whole seconds of those that have ended.' }),
});

const { _links: _exampleLinks, ...ofExample } = actorExample;
const dbId = `${workerExample.tenant}_${actorExample.id}`;

export const adminActors = Type.Array(adminActor, {
  examples: [
    [
      {
        ...ofExample,
        db_id: dbId,
        tenant: workerExample.tenant,
        api_server: 'https://hpc.example.org',
        workers: [workerExample],
        messages: 0,
        executions: 7,
        runtime: 14,
      },
    ],
  ],
});

const count = (description: string) => Type.Integer({ description });

export const adminWorkers = Type.Object(
  {
    summary: Type.Object({
      total_workers: count('Workers there are.'),
      ready_workers: count('Those that wait for a message.'),
      requested_workers: count(
        'Those asked for that no host has had room for yet. They are not listed, nor counted in `total_workers`.',
      ),
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
  },
  {
    examples: [
      {
        summary: {
          total_workers: 1,
          ready_workers: 1,
          requested_workers: 0,
          error_workers: 0,
          busy_workers: 0,
          actors_no_workers: 3,
        },
        workers: [{ ...workerExample, actor_id: actorExample.id, actor_dbid: dbId }],
      },
    ],
  },
);

const sums = (of: string, whose: string) => ({
  [`total_actors_${of}`]: count(`Actors${whose}.`),
  [`total_actors_${of}_with_executions`]: count(`Those of them with executions that have ended.`),
  [`total_executions_${of}`]: count(`Their executions that have ended.`),
  [`total_execution_runtime_${of}`]: Type.Number({ description: 'Whole seconds of these.' }),
  [`total_execution_cpu_${of}`]: Type.Number({ description: 'Processor time of these, in nanoseconds.' }),
  [`total_execution_io_${of}`]: Type.Number({ description: 'Bytes read and written by these.' }),
});

const sumsExample = (of: string, actors: number, executions: number) => ({
  [`total_actors_${of}`]: actors,
  [`total_actors_${of}_with_executions`]: actors,
  [`total_executions_${of}`]: executions,
  [`total_execution_runtime_${of}`]: 2 * executions,
  [`total_execution_cpu_${of}`]: 812_000_000 * executions,
  [`total_execution_io_${of}`]: 40_960 * executions,
});

export const adminExecutions = Type.Object(
  {
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
  },
  {
    examples: [
      {
        summary: { ...sumsExample('all', 2, 9), ...sumsExample('existing', 1, 7) },
        actors: [
          {
            actor_id: actorExample.id,
            owner: actorExample.owner,
            image: actorExample.image,
            total_executions: 7,
            total_execution_cpu: 5_684_000_000,
            total_execution_io: 286_720,
            total_execution_runtime: 14,
          },
        ],
      },
    ],
  },
);
