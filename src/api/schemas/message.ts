/** The mailbox on the wire (contract §7.6). */

import { Type } from 'typebox';
import { defaultMessage } from '../wire.ts';
import { actorParams, envelope, errors, madeAnswer, selfAndOwner, time } from './common.ts';

const tags = ['Messages'];

const links = Type.Object(selfAndOwner);

const waitingMessage = Type.Object({
  execution_id: Type.String({ description: 'Hash id of the execution that will run it.' }),
  executor: Type.String({ description: 'Who sent it.' }),
  message_received_time: time('When it was accepted.'),
  content_type: Type.Union([
    Type.Literal('str'),
    Type.Literal('application/json'),
    Type.Literal('application/octet-stream'),
  ]),
  bytes: Type.Integer({ description: 'How large it is.' }),
  message: Type.Union([Type.String(), Type.Null()], {
    description: 'Text and JSON as they are, bytes as base64; null where the answer would become too large.',
  }),
});

const count = {
  tags,
  operationId: 'countMessages',
  summary: 'Count waiting messages',
  description:
    'How many messages wait; those being run are not counted. With `count` the first of them are shown too, and stay ' +
    'where they are.',
  params: actorParams,
  querystring: Type.Object({
    count: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000,
        description: 'Most messages that are shown; more than 1000 counts as 1000.',
      }),
    ),
  }),
  response: {
    200: envelope(
      Type.Object({
        messages: Type.Integer({ description: 'Messages that wait.' }),
        waiting: Type.Optional(
          Type.Array(waitingMessage, { description: 'Asked for by `count`; the next one first.' }),
        ),
        _links: links,
      }),
      defaultMessage,
    ),
    ...errors(),
  },
};

const message = Type.Unknown({ description: 'The message: text, or JSON, which the container finds as Python text.' });

const fields = Type.Object({ message });

const binary = Type.String({ format: 'binary' });

const posted = Type.Object({
  execution_id: Type.String({ description: 'Hash id of the execution that will run it.' }),
  msg: Type.Unknown({ description: 'The message as it was understood, or "binary - omitted".' }),
  _links: Type.Object({ ...selfAndOwner, messages: Type.String({ format: 'uri' }) }),
});

const send = {
  tags,
  operationId: 'sendMessage',
  summary: 'Send a message',
  description:
    'Taken in this order: a field "message" (query, form or JSON); bytes of type application/octet-stream; JSON. ' +
    'All other query parameters become environment variables of the execution. Those that say which code runs, as ' +
    'PATH, LD_PRELOAD or PYTHONPATH, or whom it talks to, are for callers who may UPDATE the actor. ' +
    'A synchronous request is answered by the first result, or by the log where the execution ends without one.',
  params: actorParams,
  querystring: Type.Object({
    message: Type.Optional(Type.String({ description: 'The message, where it is not in the body.' })),
    _abaco_synchronous: Type.Optional(Type.String({ description: '"true" waits for the execution.' })),
  }),
  headers: Type.Object({
    'idempotency-key': Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'The same key with the same request returns the first execution instead of making another.',
      }),
    ),
  }),
  body: {
    content: {
      'application/json': { schema: message },
      'application/x-www-form-urlencoded': { schema: fields },
      'multipart/form-data': { schema: fields },
      'application/octet-stream': { schema: binary },
    },
  },
  response: {
    200: {
      description: 'The message was accepted and is on disk; or what a synchronous request asked for.',
      headers: {
        'Idempotency-Replayed': Type.String({ description: '"true" where the key had been used before.' }),
        Location: Type.String({ format: 'uri', description: 'The execution; where the request was synchronous.' }),
      },
      content: {
        'application/json': { schema: envelope(posted, defaultMessage) },
        'application/octet-stream': { schema: binary },
        'text/html': { schema: Type.String({ description: 'The log.' }) },
      },
    },
    201: madeAnswer(envelope(posted, defaultMessage), 'The message was accepted and is on disk.'),
    ...errors(504),
  },
};

const batchItem = Type.Union([
  Type.String({ description: 'A text, as under `message`.' }),
  Type.Object({
    message: Type.Optional(Type.Unknown({ description: 'As the field `message` of a message of its own.' })),
    json: Type.Optional(Type.Unknown({ description: 'As the whole JSON body of a message of its own.' })),
    binary: Type.Optional(Type.String({ contentEncoding: 'base64', description: 'Bytes, as base64.' })),
    environment: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Variables, before those of the batch, and refused as those of a single message.',
      }),
    ),
    idempotency_key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'As the header Idempotency-Key of a message of its own.',
      }),
    ),
  }),
]);

const batchAnswer = Type.Object({
  messages: Type.Array(
    Type.Object({
      execution_id: Type.Optional(Type.String({ description: 'Hash id of the execution that will run it.' })),
      replayed: Type.Optional(Type.Boolean({ description: 'True where its key had been used before.' })),
      error: Type.Optional(
        Type.Object(
          {
            code: Type.String({ description: 'Which case it is; codes never change.' }),
            message: Type.String({ description: 'What is wrong and what would help.' }),
          },
          { description: 'Why it was not taken.' },
        ),
      ),
    }),
    { description: 'One for each message, in their order: an id, or an error.' },
  ),
  posted: Type.Integer({ description: 'Messages that were taken now.' }),
  replayed: Type.Integer({ description: 'Messages that had been taken before, under the same key.' }),
  refused: Type.Integer({ description: 'Messages that were not taken.' }),
  _links: links,
});

const batch = {
  tags,
  operationId: 'sendBatch',
  summary: 'Send many messages',
  description:
    'Up to 10,000 messages in one request of 16 MiB, each checked and taken, or refused, as if it had been sent alone, in ' +
    'their order. Each has exactly one of `message`, `json` and `binary`. Query parameters become environment variables ' +
    'of all executions. With the header Idempotency-Key every message that has no key of its own has one by its place, ' +
    'so the whole request can be repeated.',
  params: actorParams,
  headers: send.headers,
  body: {
    content: {
      'application/json': {
        schema: Type.Object({ messages: Type.Array(batchItem, { minItems: 1, maxItems: 10_000 }) }),
        example: { messages: ['one', { message: 'two', idempotency_key: 'k-2' }, { json: { n: 3 } }] },
      },
    },
  },
  response: { 200: envelope(batchAnswer, defaultMessage), ...errors(429) },
};

const purge = {
  tags,
  operationId: 'purgeMessages',
  summary: 'Purge the mailbox',
  description: 'Ends all waiting messages as cancelled; what runs goes on.',
  params: actorParams,
  response: {
    200: envelope(
      Type.Object({ msg: Type.String({ examples: ['Actor mailbox purged.'] }), _links: links }),
      defaultMessage,
    ),
    ...errors(),
  },
};

export const messageRouteSchemas = { count, send, batch, purge };
