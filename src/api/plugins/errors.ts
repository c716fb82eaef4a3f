/**
 * Errors as answers; the only place that knows their status numbers. By default they are the contract's (§1.4: no 401,
 * 403 or 409 anywhere), in its envelope; who accepts `application/problem+json` gets problem details with the numbers of
 * HTTP, and with `compat.error_status = "http"` the envelope has them too.
 */

import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import {
  asError,
  ConflictError,
  type ErrorCode,
  errorCodes,
  ForbiddenError,
  InvalidError,
  LauncherError,
  NotFoundError,
  QuotaError,
  ServiceError,
  UnauthenticatedError,
  UnavailableError,
} from '../../errors.ts';
import { optional } from '../../lib/optional.ts';
import { errorEnvelope } from '../wire.ts';

export interface ErrorPluginOptions {
  /** The `version` of the envelope. */
  readonly tag: string;
  /** Whose numbers envelopes come with. */
  readonly statuses: 'contract' | 'http';
}

const statusOfClass: readonly (readonly [abstract new (...args: never[]) => ServiceError, number])[] = [
  [InvalidError, 400],
  [UnauthenticatedError, 401],
  [ForbiddenError, 403],
  [NotFoundError, 404],
  [ConflictError, 409],
  [QuotaError, 429],
  [LauncherError, 502],
  [UnavailableError, 503],
];

/** Where the contract's number is another one than its class suggests. */
const contractStatusOfCode: Partial<Record<ErrorCode, number>> = {
  'actor.unknown': 400,
  'execution.not_found': 400,
  'nonce.not_found': 400,
  'actor.stateless': 404,
  'route.not_found': 405,
  'request.stale': 412,
  'request.foreign': 403,
};

/** Seconds after which what may pass has had time to, where nobody knows better. */
const usualRetryAfterSeconds = 5;

export const noSuchRoute =
  'Invalid request: the API endpoint does not exist or the provided HTTP method is not allowed.';

export const errorPlugin = fastifyPlugin(
  async (app: FastifyInstance, options: ErrorPluginOptions) => {
    app.setErrorHandler((thrown, request, reply) => answerError(asError(thrown), request, reply, options));
    app.setNotFoundHandler((request, reply) =>
      answerError(new NotFoundError('route.not_found', noSuchRoute), request, reply, options),
    );
  },
  { name: 'abaco-errors' },
);

export function answerError(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  { tag, statuses }: ErrorPluginOptions,
): FastifyReply {
  if (reply.raw.destroyed) {
    request.log.debug({ err: error }, 'client hung up');
    return reply.send();
  }
  const answer = describeError(error, request);
  if (answer.status >= 500) request.log.error({ err: error }, 'request failed');
  if (answer.retryable) void reply.header('retry-after', answer.retryAfterSeconds ?? usualRetryAfterSeconds);
  const isProblem = wantsProblem(request);
  void reply.code(isProblem || statuses === 'http' ? answer.status : answer.contractStatus);
  // As HTTP asks of every 401 (RFC 9110 §15.5.2).
  if (reply.statusCode === 401) void reply.header('www-authenticate', 'Bearer');
  if (!isProblem) return reply.type('application/json').send(errorEnvelope(answer.message, tag));
  return reply.type('application/problem+json').send({
    type: `urn:abaco:error:${answer.code}`,
    title: answer.title,
    status: answer.status,
    detail: answer.message,
    code: answer.code,
    instance: request.id,
  });
}

interface DescribedError {
  readonly code: string;
  readonly title: string;
  readonly message: string;
  readonly status: number;
  readonly contractStatus: number;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
}

/** From 500 on only the code, its sentence and the request's id are told; the rest is in the log. */
function describeError(error: Error, request: FastifyRequest): DescribedError {
  if (!(error instanceof ServiceError)) return describeForeign(error, request);
  const { code, retryable } = error;
  const status = statusOf(error);
  const title = errorCodes[code];
  const message = status < 500 ? error.message : `${code}: ${title} (request ${request.id})`;
  const { retryAfterSeconds } = error;
  return {
    code,
    title,
    message,
    status,
    contractStatus: contractStatus(code, status),
    retryable,
    ...optional('retryAfterSeconds', retryAfterSeconds),
  };
}

function statusOf(error: ServiceError): number {
  if (error.code === 'request.too_large') return 413;
  if (error.code === 'request.stale') return 412;
  if (error.code === 'route.not_found') return 404;
  return statusOfClass.find(([kind]) => error instanceof kind)?.[1] ?? 500;
}

function contractStatus(code: ErrorCode, status: number): number {
  const own = contractStatusOfCode[code];
  if (own !== undefined) return own;
  return status > 400 && status < 429 && status !== 404 ? 400 : status;
}

/** Fastify's own complaints about a request, and bugs of ours. */
function describeForeign(error: Error, request: FastifyRequest): DescribedError {
  const { statusCode = 500, code = '' } = error as Error & { readonly statusCode?: number; readonly code?: string };
  if (statusCode < 400 || statusCode >= 500) {
    const message = `Unrecognized exception type: request ${request.id} failed and the log says why`;
    return {
      code: 'internal',
      title: 'Bug in this server.',
      message,
      status: 500,
      contractStatus: 500,
      retryable: false,
    };
  }
  const tooLarge = code === 'FST_ERR_CTP_BODY_TOO_LARGE';
  const ours: ErrorCode = tooLarge ? 'request.too_large' : 'request.invalid';
  const message = tooLarge ? tooLargeMessage('Request body', request.routeOptions.bodyLimit) : sentenceOf(code, error);
  return { code: ours, title: errorCodes[ours], message, status: statusCode, contractStatus: 400, retryable: false };
}

function sentenceOf(code: string, { message }: Error): string {
  if (code !== 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return message;
  return 'Header "Content-Type" names no media type; JSON is application/json';
}

/** The contract's sentence, whose first word is "Message" where messages are sent. */
export function tooLargeMessage(what: string, bytes: number): string {
  return `${what} exceeds max content length of: ${bytes}`;
}

function wantsProblem(request: FastifyRequest): boolean {
  return request.headers.accept?.includes('application/problem+json') ?? false;
}

/** What does not even become a request, as bytes for the socket. */
export function renderRawAnswer(status: number, message: string, tag: string): string {
  const body = JSON.stringify(errorEnvelope(message, tag));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}`,
    'Content-Type: application/json; charset=utf-8',
    'Access-Control-Allow-Origin: *',
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
