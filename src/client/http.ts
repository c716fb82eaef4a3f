/** HTTP to the service, for the client's verbs: one request, one answer, and errors that say what to do about them. */

import { createReadStream } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { InvalidError, NotFoundError, type ServiceError, UnavailableError } from '../errors.ts';
import { isRecord } from './answer.ts';

export interface HttpOptions {
  /** Where the service listens, as `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly token?: string;
  readonly tenant?: string;
}

/** What is sent: bytes at hand, or a file that is read while it is sent. */
export type RequestBody = Uint8Array | { readonly file: string; readonly bytes: number };

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the address, as "/actors/v2"; made by `actorsPath`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Http {
  readonly url: string;
  /** Any answer below 400; above, the error its envelope tells. Has no time limit of its own: executions may be long. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  /** The `result` of the answer's envelope. */
  result(request: HttpRequest): Promise<unknown>;
}

/** Path below the actors, each part encoded, so that an id cannot lead elsewhere. */
export function actorsPath(...parts: readonly string[]): string {
  return ['/actors/v2', ...parts.map(encodePart)].join('/');
}

/** Dots alone stay dots however they are encoded, so they are refused. */
function encodePart(part: string): string {
  if (/^\.{0,2}$/.test(part)) throw new InvalidError('request.invalid', `Id "${part}" is not one of anything`);
  return encodeURIComponent(part);
}

export function createHttp(options: HttpOptions): Http {
  const url = parseAddress(options.url);
  const send = async (request: HttpRequest): Promise<HttpAnswer> => {
    const answer = await exchange(url, options, request);
    const { statusCode: status = 0, headers } = answer;
    if (status < 400) return { status, headers, body: answer };
    throw await refusal(status, answer);
  };
  return {
    url: url.href.replace(/\/$/, ''),
    send,
    result: async (request) => resultOf(await readBody((await send(request)).body), url),
  };
}

/** The whole of a body. */
export async function readBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function parseAddress(text: string): URL {
  const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new InvalidError(
    'request.invalid',
    `Address "${text}" is not one of a service: it starts with http:// or https://`,
  );
}

/** Without a time limit, unlike `fetch`, which gives up after five minutes of silence. */
async function exchange(base: URL, { token, tenant }: HttpOptions, request: HttpRequest): Promise<IncomingMessage> {
  const { method = 'GET', path, query, body, signal } = request;
  const url = new URL(base.pathname.replace(/\/$/, '') + path, base);
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.append(name, value);
  const headers: Record<string, string> = { accept: 'application/json', ...request.headers };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (tenant !== undefined) headers['tenant'] = tenant;
  if (body !== undefined) headers['content-length'] = String(body instanceof Uint8Array ? body.length : body.bytes);
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const outgoing = start(url, { method, headers, ...(signal === undefined ? {} : { signal }) }, resolve);
  outgoing.on('error', (error) => reject(signal?.aborted ? error : unreachable(base, error)));
  if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
  else pipeline(createReadStream(body.file, { end: Math.max(body.bytes - 1, 0) }), outgoing).catch(reject);
  return await promise;
}

const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; type "abaco up" to start a service, or give --url or ABACO_URL',
  ENOTFOUND: 'there is no such host; check --url or ABACO_URL',
  EAI_AGAIN: 'its name cannot be looked up now; check --url or ABACO_URL',
};

function unreachable(url: URL, error: NodeJS.ErrnoException): ServiceError {
  const why = remedies[error.code ?? ''] ?? `${error.message || error.code}; check --url or ABACO_URL`;
  return new UnavailableError('service.unreachable', `Service "${url.origin}" cannot be reached: ${why}`, {
    cause: error,
  });
}

/** The message of the envelope, or what there is instead of one. */
async function refusal(status: number, answer: IncomingMessage): Promise<ServiceError> {
  const text = (await readBody(answer)).toString();
  const message = envelopeMessage(text) ?? `The service answered ${status}: ${text.slice(0, 500).trim() || 'nothing'}`;
  if (status === 404) return new NotFoundError('service.refused', message);
  if (status >= 500 || status === 429) return new UnavailableError('service.refused', message);
  return new InvalidError('service.refused', message);
}

function envelopeMessage(text: string): string | undefined {
  const envelope = parseJson(text);
  const message = isRecord(envelope) ? envelope['message'] : undefined;
  return typeof message === 'string' && message !== '' ? message : undefined;
}

function resultOf(body: Buffer, url: URL): unknown {
  const envelope = parseJson(body.toString());
  if (isRecord(envelope) && 'result' in envelope) return envelope['result'];
  throw new UnavailableError(
    'service.refused',
    `What answers at "${url.origin}" is not Abaco: its answer has no result`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
