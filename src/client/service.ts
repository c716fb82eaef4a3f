/** What the client asks of the service: one function per request it makes. */

import { randomUUID } from 'node:crypto';
import { optional } from '../lib/optional.ts';
import {
  type ActorAnswer,
  attribute,
  type ExecutionAnswer,
  isRecord,
  parseActor,
  parseExecution,
  parseExecutions,
  readText,
} from './answer.ts';
import { actorsPath, type Http, type HttpAnswer, type HttpRequest, readBody } from './http.ts';
import type { OutgoingMessage } from './outgoing-message.ts';

export interface PostOptions {
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface BatchMessage {
  /** As JSON. */
  readonly message: string;
  readonly key: string;
}

export interface BatchOptions {
  /** Variables of every message. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export type BatchOutcome =
  | { readonly execution: string; readonly replayed?: true }
  | { readonly error: { readonly code: string; readonly message: string } };

export interface SynchronousAnswer {
  /** Its first result, or its log. */
  readonly body: Buffer;
  /** Not told by services of before. */
  readonly executionId?: string;
}

export interface Service {
  readonly url: string;
  actors(): Promise<readonly ActorAnswer[]>;
  register(actor: { readonly image: string; readonly name: string }): Promise<ActorAnswer>;
  /** Makes the actor look for its image again, as if the name meant another one now. */
  refresh(actor: { readonly id: string; readonly image: string }): Promise<ActorAnswer>;
  remove(actorId: string): Promise<void>;
  /** @returns the id of the execution. */
  post(actorId: string, message: OutgoingMessage, options?: PostOptions): Promise<string>;
  /** @returns what became of each, in their order. */
  postBatch(
    actorId: string,
    messages: readonly BatchMessage[],
    options: BatchOptions,
  ): Promise<readonly BatchOutcome[]>;
  /** Waits for the first result of the execution, or for its end where it has none. */
  postAndWait(actorId: string, message: OutgoingMessage, options?: PostOptions): Promise<SynchronousAnswer>;
  executions(actorId: string): Promise<readonly ExecutionAnswer[]>;
  execution(actorId: string, executionId: string, signal?: AbortSignal): Promise<ExecutionAnswer>;
  cancel(actorId: string, executionId: string): Promise<void>;
  log(actorId: string, executionId: string): Promise<string>;
  /** The log as it is written, as server-sent events. */
  openLog(actorId: string, executionId: string, signal: AbortSignal): Promise<HttpAnswer>;
  /** Takes the oldest result that was not read yet; nothing when there is none. */
  takeResult(actorId: string, executionId: string): Promise<Buffer | undefined>;
}

export function createService(http: Http): Service {
  const executionPath = (actorId: string, id: string, ...rest: readonly string[]): string =>
    actorsPath(actorId, 'executions', id, ...rest);
  return {
    url: http.url,
    actors: async () => readList(await http.result({ path: actorsPath() })).map(parseActor),
    register: async (actor) => parseActor(await http.result(jsonRequest('POST', actorsPath(), actor))),
    refresh: async ({ id, image }) =>
      parseActor(await http.result(jsonRequest('PUT', actorsPath(id), { image, force: true }))),
    remove: async (actorId) => void (await http.result({ method: 'DELETE', path: actorsPath(actorId) })),
    post: async (actorId, message, options) =>
      readExecutionId(await http.result(postRequest(actorId, message, options))),
    postBatch: async (actorId, messages, options) =>
      readOutcomes(await http.result(batchRequest(actorId, messages, options))),
    postAndWait: async (actorId, message, options) => {
      const request = postRequest(actorId, message, options);
      const answer = await http.send({ ...request, query: { ...request.query, _abaco_synchronous: 'true' } });
      return { body: await readBody(answer.body), ...optional('executionId', locatedExecution(answer)) };
    },
    executions: async (actorId) => parseExecutions(await http.result({ path: actorsPath(actorId, 'executions') })),
    execution: async (actorId, id, signal) =>
      parseExecution(await http.result({ path: executionPath(actorId, id), ...(signal ? { signal } : {}) })),
    cancel: async (actorId, id) => void (await http.result({ method: 'DELETE', path: executionPath(actorId, id) })),
    log: async (actorId, id) => readLog(await http.result({ path: executionPath(actorId, id, 'logs') })),
    openLog: async (actorId, id, signal) =>
      await http.send({
        path: executionPath(actorId, id, 'logs'),
        query: { follow: 'true' },
        headers: { accept: 'text/event-stream' },
        signal,
      }),
    takeResult: async (actorId, id) => {
      const body = await readBody((await http.send({ path: executionPath(actorId, id, 'results') })).body);
      return body.length === 0 ? undefined : body;
    },
  };
}

function jsonRequest(method: 'POST' | 'PUT', path: string, value: unknown): HttpRequest {
  const body = Buffer.from(JSON.stringify(value));
  return { method, path, body, headers: { 'content-type': 'application/json' } };
}

/** With a key of its own, so that the same request may be sent again without a second execution. */
function postRequest(actorId: string, message: OutgoingMessage, options: PostOptions = {}): HttpRequest {
  const { contentType, body, environment } = message;
  return {
    method: 'POST',
    path: actorsPath(actorId, 'messages'),
    query: environment,
    headers: { 'content-type': contentType, 'idempotency-key': options.idempotencyKey ?? randomUUID() },
    body,
    ...(options.signal ? { signal: options.signal } : {}),
  };
}

function batchRequest(
  actorId: string,
  messages: readonly BatchMessage[],
  { environment, signal }: BatchOptions,
): HttpRequest {
  const items = messages.map(({ message, key }) => `{"message":${message},"idempotency_key":${JSON.stringify(key)}}`);
  return {
    method: 'POST',
    path: actorsPath(actorId, 'messages', 'batch'),
    query: environment,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(`{"messages":[${items.join(',')}]}`),
    signal,
  };
}

function readOutcomes(value: unknown): readonly BatchOutcome[] {
  return readList(isRecord(value) ? attribute(value, 'messages') : undefined).map((one) => {
    const record = isRecord(one) ? one : {};
    const error = attribute(record, 'error');
    if (isRecord(error)) {
      return { error: { code: readText(error, 'code') ?? '', message: readText(error, 'message') ?? '' } };
    }
    const replayed = attribute(record, 'replayed') === true ? true : undefined;
    return { execution: readExecutionId(record), ...optional('replayed', replayed) };
  });
}

function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readExecutionId(value: unknown): string {
  return (isRecord(value) && readText(value, 'execution_id')) || '';
}

function locatedExecution({ headers }: HttpAnswer): string | undefined {
  const [, id] = /\/executions\/([^/?#]+)$/.exec(headers.location ?? '') ?? [];
  return id;
}

function readLog(value: unknown): string {
  return (isRecord(value) && readText(value, 'logs')) || '';
}
