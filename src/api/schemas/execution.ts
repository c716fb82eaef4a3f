/** Executions on the wire (contract §7.8). */

import { Type } from 'typebox';
import { reference, selfAndOwner, time, timeOrNull, wait } from './common.ts';

const status = Type.Union(
  [Type.Literal('SUBMITTED'), Type.Literal('RUNNING'), Type.Literal('COMPLETE'), Type.Literal('ERROR')],
  {
    description:
      'COMPLETE for all that started, whatever the exit code; ERROR for what never could, or was lost. Where the setting compat.failed_status is "ERROR", so for a program that failed too.',
  },
);

const exitCode = Type.Union([Type.Integer(), Type.Literal('undetermined'), Type.Null()], {
  description: 'Exit code of the program; null before the end, "undetermined" where there is none.',
});

const usage = Type.Object(
  {
    cpu_ms: Type.Number({ description: 'User and system time.' }),
    max_memory_bytes: Type.Number({ description: 'Largest resident set of one of its processes.' }),
    io_bytes: Type.Number({ description: 'Bytes read and written.' }),
    runtime_ms: Type.Number({ description: 'From start to end.' }),
  },
  { description: 'What the program used; there once it has ended.' },
);

const accounting = Type.Object(
  {
    job_id: Type.String({ description: 'What the scheduler calls it.' }),
    elapsed_ms: Type.Number({ description: 'How long its resources were held.' }),
    cpu_ms: Type.Number({ description: 'User and system time of all processes of the job.' }),
    max_memory_bytes: Type.Optional(Type.Number({ description: 'Largest resident set that was seen.' })),
    nodes: Type.String({ description: 'Where it ran, as the scheduler writes it.' }),
    energy_joules: Type.Optional(Type.Number({ description: 'Where the site measures it.' })),
  },
  {
    description: 'What the scheduler has on its books; there some seconds after the end, where they told in good time.',
  },
);

const end = {
  end: Type.Optional(
    Type.Union(
      [
        Type.Literal('exited'),
        Type.Literal('cancelled'),
        Type.Literal('time-limit'),
        Type.Literal('out-of-memory'),
        Type.Literal('node-failure'),
        Type.Literal('preempted'),
        Type.Literal('lost'),
        Type.Literal('launch-failed'),
      ],
      { description: 'Why it ended; there once it has.' },
    ),
  ),
  end_detail: Type.Optional(Type.String({ description: 'One sentence more on the end.' })),
  usage: Type.Optional(usage),
  accounting: Type.Optional(accounting),
};

const times = {
  message_received_time: time('When its message was accepted.'),
  start_time: timeOrNull('When the program started.'),
  finish_time: timeOrNull('When it ended.'),
};

export const execution = Type.Object(
  {
    _links: Type.Object({ ...selfAndOwner, logs: Type.String({ format: 'uri' }) }),
    id: Type.String({ description: 'Hash id of the execution.' }),
    actor_id: Type.String({ description: 'Hash id of its actor.' }),
    api_server: Type.String({ description: 'Base of the links.' }),
    executor: Type.String({ description: 'Who sent the message.' }),
    status,
    worker_id: Type.Union([Type.String(), Type.Null()], { description: 'The worker that took it; null before.' }),
    ...times,
    cpu: Type.Number({ description: 'Processor time in nanoseconds; 0 before the end.' }),
    io: Type.Number({ description: 'Bytes read and written; 0 before the end.' }),
    runtime: Type.Number({ description: 'Whole seconds from start to end; 0 before the end.' }),
    exit_code: exitCode,
    final_state: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
      description: "The container's state at the end, in Docker's words; {unavailable: true} where there was none.",
    }),
    revision: Type.Integer({ description: 'Revision of the actor when the message came.' }),
    attempt: Type.Integer({ description: 'Number of the start; 0 before the first.' }),
    ...end,
    launcher: Type.Optional(Type.String({ description: 'Where it was started.' })),
    node: Type.Optional(Type.String({ description: 'The machine its program runs on.' })),
    wait: Type.Optional(wait),
  },
  {
    $id: 'Execution',
    description: 'One run of an actor for one message.',
    examples: [
      {
        _links: {
          self: 'https://hpc.example.org/actors/v2/Dg84VrMjvPRB/executions/wz60leRmLQPX',
          owner: 'https://hpc.example.org/profiles/v2/jane',
          logs: 'https://hpc.example.org/actors/v2/Dg84VrMjvPRB/executions/wz60leRmLQPX/logs',
        },
        id: 'wz60leRmLQPX',
        actor_id: 'Dg84VrMjvPRB',
        api_server: 'https://hpc.example.org',
        executor: 'jane',
        status: 'COMPLETE',
        worker_id: 'epWMpwYa36PA',
        message_received_time: '2026-05-01T14:45:41.591Z',
        start_time: '2026-05-01T14:45:42.104Z',
        finish_time: '2026-05-01T14:45:43.632Z',
        cpu: 812_000_000,
        io: 40_960,
        runtime: 1,
        exit_code: 0,
        final_state: { ExitCode: 0, OOMKilled: false, Status: 'exited' },
        revision: 1,
        attempt: 1,
        end: 'exited',
        usage: { cpu_ms: 812, max_memory_bytes: 19_922_944, io_bytes: 40_960, runtime_ms: 1_528 },
        launcher: 'docker',
      },
    ],
  },
);

export const executionRef = reference('Execution');

export const executionSummary = Type.Object({
  _links: Type.Object(selfAndOwner),
  actor_id: Type.String({ description: 'Hash id of the actor.' }),
  api_server: Type.String({ description: 'Base of the links.' }),
  owner: Type.String({ description: 'Owner of the actor.' }),
  executions: Type.Array(
    Type.Object({
      id: Type.String({ description: 'Hash id of the execution.' }),
      status,
      ...times,
      exit_code: Type.Optional(exitCode),
      ...end,
    }),
    { description: 'The oldest first.' },
  ),
  total_executions: Type.Integer({ description: 'How many there are, also those that are not listed.' }),
  total_cpu: Type.Number({ description: 'Processor time of all, in nanoseconds.' }),
  total_io: Type.Number({ description: 'Bytes read and written by all.' }),
  total_runtime: Type.Number({ description: 'Whole seconds of all.' }),
  incomplete: Type.Optional(
    Type.String({ description: 'Said while the history does not answer: what is old is missing.' }),
  ),
});

const { api_server: _apiServer, wait: _wait, ...found } = execution.properties;

/** As searches show it. */
export const foundExecution = Type.Object(found);

/** Data of the events `status` and `end`. */
export const progress = Type.Object(
  {
    id: Type.String({ description: 'Hash id of the execution.' }),
    status,
    attempt: Type.Integer({ description: 'Number of the start; 0 before the first.' }),
    start_time: times.start_time,
    finish_time: times.finish_time,
    exit_code: exitCode,
    ...end,
    launcher: Type.Optional(Type.String({ description: 'Where it was started.' })),
    node: Type.Optional(Type.String({ description: 'The machine its program runs on.' })),
    wait: Type.Optional(wait),
  },
  {
    $id: 'Progress',
    description: 'How far an execution is.',
    examples: [
      {
        id: 'wz60leRmLQPX',
        status: 'RUNNING',
        attempt: 1,
        start_time: '2026-05-01T14:45:42.104Z',
        finish_time: null,
        exit_code: null,
        launcher: 'hpc',
        node: 'c1',
      },
    ],
  },
);
