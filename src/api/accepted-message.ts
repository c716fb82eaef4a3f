/** From a request to a message that can be posted: reads it, checks it, and keeps a large body as a file. */

import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { mayUpdate } from '../auth/decide-access.ts';
import type { Permission } from '../auth/permission.ts';
import type { Config } from '../config/schema.ts';
import { tenantSettings } from '../config/tenant-settings.ts';
import { InvalidError } from '../errors.ts';
import type { Body, Message } from '../executions/execution.ts';
import { optional } from '../lib/optional.ts';
import { idempotencyHeader, startDigest } from './idempotency.ts';
import { holdsNul, planTextMessage, type TextMessage, textBytes } from './message-request.ts';
import { tooLargeMessage } from './plugins/errors.ts';
import { bodyOf, isForm, mediaTypeOf, parseForm, queryOf } from './request-body.ts';
import type { Services } from './services.ts';
import { variableProblem } from './variable-problem.ts';

export interface AcceptedMessage {
  readonly message: Message;
  /** What the answer shows as `msg`. */
  readonly echo: unknown;
  /** Of query, content type and body; empty where nobody asked for it. */
  readonly digest: string;
}

export type Keepers = Pick<Services, 'blobs' | 'config'>;

export async function acceptMessage(request: FastifyRequest, keepers: Keepers): Promise<AcceptedMessage> {
  const environment = readEnvironment(request);
  const sender = senderOf(request);
  const field = queryOf(request).get('message')?.[0] ?? '';
  if (request.body instanceof Readable && field === '') {
    const { body, digest } = await keepBinary(request, request.body, keepers);
    const message: Message = { contentType: 'application/octet-stream', body, environment, ...sender };
    return { message, echo: 'binary - omitted', digest };
  }
  const digest = wantsDigest(request) ? startDigest(request).update(bodyOf(request)).digest('hex') : '';
  const text = await readTextMessage(request, field, keepers.config);
  const body = await keepBytes(Buffer.from(text.text), keepers);
  return { message: { contentType: text.contentType, body, environment, ...sender }, echo: text.echo, digest };
}

/** Inline, or as a file where there are many. */
export async function keepBytes(bytes: Uint8Array, { blobs, config }: Keepers): Promise<Body> {
  return bytes.byteLength > config.blobs.inlineBytes ? await blobs.put(bytes) : { inline: bytes };
}

async function readTextMessage(request: FastifyRequest, field: string, config: Config): Promise<TextMessage> {
  if (request.body instanceof Readable) request.body.resume();
  const contentType = request.headers['content-type'];
  const mediaType = mediaTypeOf(contentType);
  const body = bodyOf(request);
  const form = isForm(mediaType) ? await parseForm(body, contentType ?? '', 'Invalid message') : undefined;
  const given = [field, form?.get('message')?.[0] ?? ''];
  const text = planTextMessage({ mediaType, body, given, valueText: config.compat.valueText });
  checkText(text, config, request.caller.tenant);
  return text;
}

/** Throws where no container could be given it. */
export function checkText(text: TextMessage, config: Config, tenant: string): void {
  const most = tenantSettings(config, tenant).messageBytes.text;
  if (textBytes(text, most, config.compat.valueText) > most) {
    throw new InvalidError('request.too_large', tooLargeMessage('Message', most));
  }
  if (holdsNul(text)) {
    const help = 'send it as application/octet-stream';
    throw new InvalidError('request.invalid', `Message holds NUL, which no environment variable can; ${help}`);
  }
}

/** Query parameters but `message`, the first of each name; they become environment variables. */
export function readEnvironment(request: FastifyRequest): Readonly<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const [name, [value = '']] of queryOf(request)) {
    if (name === 'message') continue;
    const problem = variableProblem(name, value);
    if (problem !== undefined) throw invalidParameter(problem);
    entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

export function invalidParameter(problem: string): InvalidError {
  return new InvalidError('request.invalid', `Invalid query parameter: ${problem}`);
}

/** Whether variables of the caller's messages may say which code runs. */
export function maySteer({ caller, server }: FastifyRequest, permission: Permission): boolean {
  return server.services.config.compat.messageVariables === 'any' || mayUpdate(caller, permission);
}

export function senderOf({ caller }: FastifyRequest): Pick<Message, 'executor' | 'jwtHeaderName'> {
  return { executor: caller.user, ...optional('jwtHeaderName', caller.jwtHeaderName) };
}

function wantsDigest(request: FastifyRequest): boolean {
  return request.headers[idempotencyHeader] !== undefined;
}

interface KeptBody {
  readonly body: Body;
  readonly digest: string;
}

/** In memory when it is small, else straight to a file; a client that hangs up half-way leaves neither. */
async function keepBinary(request: FastifyRequest, stream: Readable, { blobs, config }: Keepers): Promise<KeptBody> {
  const length = Number(request.headers['content-length']);
  const digest = wantsDigest(request) ? startDigest(request) : undefined;
  async function* digested(): AsyncIterable<Uint8Array> {
    let received = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      received += chunk.byteLength;
      digest?.update(chunk);
      yield chunk;
    }
    if (received !== length) throw new InvalidError('request.invalid', 'The message ended before its Content-Length');
  }
  const body =
    length > config.blobs.inlineBytes
      ? await blobs.put(digested())
      : { inline: Buffer.concat(await Array.fromAsync(digested())) };
  return { body, digest: digest?.digest('hex') ?? '' };
}
