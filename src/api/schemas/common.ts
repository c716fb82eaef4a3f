/** What answers have in common, and how a route describes itself. */

import { type TObject, type TSchema, Type } from 'typebox';

/** A schema by the `$id` under which the application knows it. */
export function reference(id: string): TSchema {
  return Type.Unsafe({ $ref: `${id}#` });
}

export function time(description: string): TSchema {
  return Type.String({ format: 'date-time', description: `${description} UTC, in milliseconds.` });
}

export function timeOrNull(description: string): TSchema {
  return Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
    description: `${description} UTC, in milliseconds; null before.`,
  });
}

/** Of a worker or a nonce, which show absent times in the way of the original (contract §6). */
export function timeOrAbsent(description: string): TSchema {
  const absent = 'the text "None" before, or null where compat.absent_times = "null"';
  return Type.Union([Type.String({ format: 'date-time' }), Type.Literal('None'), Type.Null()], {
    description: `${description} UTC, in milliseconds; ${absent}.`,
  });
}

export const wait = Type.Object(
  {
    cause: Type.String({ description: 'Why it waits.' }),
    since: time('Since when.'),
    age_ms: Type.Integer({ description: 'For how long already.' }),
    owner: Type.String({ description: 'Who can change it: user, operator, registry, scheduler, network or service.' }),
    next: Type.String({ description: 'What comes next, or what would help.' }),
    expected: Type.Optional(time('When the scheduler expects to start it; there where it has planned that.')),
  },
  { description: 'Why something waits, or why what runs stands still or cannot be watched; there only while it does.' },
);

const version = Type.String({ description: 'Tag of the deployment.' });

/** The envelope of every successful JSON answer. */
export function envelope(result: TSchema, message: string): TSchema {
  return Type.Object(
    {
      message: Type.String({ description: 'A sentence for people.', examples: [message] }),
      result,
      status: Type.Literal('success', { description: 'The word "success".' }),
      version,
    },
    { description: message },
  );
}

/** An answer that something was made, and where it is found. */
export function madeAnswer(schema: TSchema, message: string): object {
  return {
    description: `${message} In place of 200 where compat.error_status = "http".`,
    headers: { Location: Type.String({ format: 'uri', description: 'Where it is.' }) },
    content: { 'application/json': { schema } },
  };
}

/** What a route that makes something answers, under either setting of `compat.error_status`; `tellCreated` says which. */
export function creation(result: TSchema, message: string): Record<number, object> {
  const made = envelope(result, message);
  return { 200: made, 201: madeAnswer(made, message) };
}

export const errorAnswer = Type.Object(
  {
    message: Type.String({ description: 'What is wrong and what would help.' }),
    result: Type.Null({ description: 'Nothing.' }),
    status: Type.Literal('error', { description: 'The word "error".' }),
    version,
  },
  {
    $id: 'Error',
    description: 'The envelope of every error.',
    examples: [
      { message: "Actor with identifier 'wordcont' not found", result: null, status: 'error', version: 'dev' },
    ],
  },
);

export const problem = Type.Object(
  {
    type: Type.String({ description: 'URN of the code.' }),
    title: Type.String({ description: 'What the code means.' }),
    status: Type.Integer({
      description: 'The HTTP status of this kind of error, also where the contract answers another.',
    }),
    detail: Type.String({ description: 'What is wrong and what would help.' }),
    code: Type.String({ description: 'Which case it is; codes never change.' }),
    instance: Type.String({ description: 'Id of the request.' }),
  },
  {
    $id: 'Problem',
    description: 'An error as problem details (RFC 9457), for those who accept application/problem+json.',
    examples: [
      {
        type: 'urn:abaco:error:actor.not_found',
        title: 'No such actor in this tenant.',
        status: 404,
        detail: "Actor with identifier 'wordcont' not found",
        code: 'actor.not_found',
        instance: '5f0c2a91-17',
      },
    ],
  },
);

const errorContent = {
  'application/json': { schema: reference('Error') },
  'application/problem+json': { schema: reference('Problem') },
};

const errorMeanings: Readonly<Record<number, string>> = {
  400: 'The request cannot succeed as it is; the message says why. By the numbers of the contract also in place of 401, 403, 409, 413 and 415.',
  401: 'By the numbers of HTTP: there is no valid credential.',
  403: 'By the numbers of HTTP: the caller is known, and may not.',
  404: 'There is no such actor in this tenant; by the numbers of HTTP also for other things that are not there.',
  405: 'A word of the paths, as v2, stands where a name or an id is expected, so that nothing is served there; 404 by the numbers of HTTP.',
  409: 'By the numbers of HTTP: not in the state that things are in now, or the name is taken.',
  412: 'If-Match names another version than the one that is there; nothing was changed.',
  413: 'By the numbers of HTTP: the body is larger than this server takes.',
  415: 'By the numbers of HTTP: Content-Type names no media type.',
  429: 'A limit of this server; ask again after the seconds of Retry-After.',
  503: 'Redis, the history or the blob directory does not answer, or the server is stopping; ask again after Retry-After.',
  504: 'The execution has not ended within the limit for synchronous requests; it goes on.',
};

const challenge = { 'WWW-Authenticate': Type.String({ description: 'Says that a bearer token is expected.' }) };

function describeErrors(statuses: readonly number[]): Record<number, object> {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: errorMeanings[status], content: errorContent, ...(status === 401 ? { headers: challenge } : {}) },
    ]),
  );
}

/** What health and metrics answer to whom they are not for, as at an address for containers without a token. */
export const noTokenError = describeErrors([400, 401, 403, 413]);

/**
 * Answers of errors by status: those of every route, and more where `statuses` says so. Whichever numbers the service
 * is set to, both kinds can come: who accepts problem details gets those of HTTP.
 */
export function errors(...statuses: readonly number[]): Record<number, object> {
  const all = [...new Set([400, 401, 403, 404, 405, 409, 413, 415, 429, ...statuses, 503])];
  return describeErrors(all);
}

/** Headers of a request that reads a version, and of one that changes it; the names are those of HTTP. */
export const ifNoneMatch = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({ description: 'ETags of what the client has: 304 where that is still so.' }),
  ),
});
export const ifMatch = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      description: 'ETags of which one has to be that of what is there; else 412, and nothing is changed.',
    }),
  ),
});

export const notModified = Type.Null({ description: 'The client has this version already.' });

export const actorParams = Type.Object({
  actor_id: Type.String({ description: 'Hash id of the actor, or an alias of it.' }),
});

export const executionParams = Type.Object({
  actor_id: actorParams.properties.actor_id,
  execution_id: Type.String({ description: 'Hash id of the execution.' }),
});

/** A request body that is read by `readFields`: JSON or either kind of form. */
export function fieldsBody(schema: TObject): object {
  const id = (schema as unknown as { readonly $id: string }).$id;
  const content = { schema: reference(id) };
  return {
    content: {
      'application/json': content,
      'application/x-www-form-urlencoded': content,
      'multipart/form-data': content,
    },
  };
}

export const selfAndOwner = {
  self: Type.String({ format: 'uri' }),
  owner: Type.String({ format: 'uri' }),
};
