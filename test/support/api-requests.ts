/** Requests as a client sends them, and what comes back, without a socket in between. */

import type { FastifyInstance, InjectOptions } from 'fastify';
import { expect } from 'vitest';
import type { ApiService } from './api-service.ts';
import { until } from './until.ts';

export interface Question {
  readonly json?: unknown;
  readonly form?: string;
  /** Bytes or text with the content type in `headers`. */
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** Of the envelope; empty where the answer has none. */
  readonly message: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the wire is untyped; a wrong shape fails the test that reads it
  readonly result: any;
}

/** @param line verb and path: `POST /actors`. */
export async function ask(app: FastifyInstance, line: string, question: Question = {}): Promise<Answer> {
  const [method = 'GET', ...path] = line.split(' ');
  const response = await app.inject({
    method,
    url: path.join(' '),
    ...contentOf(question),
  });
  const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
  const envelope = isJson && response.payload !== '' ? (JSON.parse(response.payload) as Partial<Answer>) : {};
  return {
    status: response.statusCode,
    headers: response.headers,
    bytes: response.rawPayload,
    text: response.payload,
    message: envelope.message ?? '',
    result: envelope.result,
  };
}

function contentOf({ json, form, body, headers = {} }: Question): Pick<InjectOptions, 'payload' | 'headers'> {
  if (json !== undefined) {
    return { payload: JSON.stringify(json), headers: { 'content-type': 'application/json', ...headers } };
  }
  if (form !== undefined) {
    return { payload: form, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers } };
  }
  return { ...(body === undefined ? {} : { payload: body }), headers };
}

/** Registers an actor and, unless told otherwise, plays the supervisor that has prepared its image. */
export async function registerActor(
  api: ApiService,
  settings: Readonly<Record<string, unknown>> = {},
  { ready = true, tenant = 'DEV' }: { readonly ready?: boolean; readonly tenant?: string } = {},
): Promise<string> {
  const json = { image: 'debian:trixie-slim', ...settings };
  const { status, text, result } = await ask(api.app, 'POST /actors', { json, headers: { tenant } });
  expect(status, text).toBe(200);
  const { id: actorId } = result as { readonly id: string };
  const actor = { tenant, actorId };
  if (ready) await api.services.actors.markReady(actor, 1, `sha256:${'0'.repeat(64)}`);
  return actorId;
}

/** @returns the id of its execution. */
export async function sendMessage(api: ApiService, actorId: string, message = 'hello'): Promise<string> {
  const { status, text, result } = await ask(api.app, `POST /actors/${actorId}/messages`, { json: { message } });
  expect(status, text).toBe(200);
  return (result as { readonly execution_id: string }).execution_id;
}

/** The answer of a search that could find all that was answered before it; on a busy machine it may say at first that it could not. */
export async function askUntilComplete(app: FastifyInstance, line: string, question: Question = {}): Promise<Answer> {
  return await until(
    async () => {
      const answer = await ask(app, line, question);
      return answer.result?._metadata?.incomplete === undefined ? answer : undefined;
    },
    { timeoutMs: 30_000, what: `a complete answer to ${line}` },
  );
}
