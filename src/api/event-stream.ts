/** Server-sent events, as the HTML standard writes them. */

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { asError } from '../errors.ts';
import { renderSortedJson } from './sorted-json.ts';

export interface ServerEvent {
  readonly event: string;
  /** What a reader that lost the connection sends back as `Last-Event-ID`. */
  readonly id?: string;
  /** Sent as JSON, so that any text survives. */
  readonly data: unknown;
}

/** Nothing happened for a while: a comment, so that proxies keep the connection. */
export const stillThere = Symbol('still there');

/** As a content of a response; the schema is that of each event, and `data` describes what it carries. */
export function eventContent(data: TSchema): object {
  const carried = { contentMediaType: 'application/json', contentSchema: data };
  const schema = Type.Object(
    {
      event: Type.String({ description: 'What it is about.' }),
      id: Type.Optional(Type.String({ description: 'What a reader that goes on sends as Last-Event-ID.' })),
      data: Type.String({ description: 'JSON.', ...carried }),
    },
    { description: 'One of the server-sent events; the data of each is JSON.' },
  );
  return { 'text/event-stream': { schema } };
}

export function renderEvent({ event, id, data }: ServerEvent): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${renderSortedJson(data)}\n\n`;
}

export function acceptsEvents({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes('text/event-stream') ?? false;
}

export function lastEventId({ headers }: FastifyRequest): string | undefined {
  const id = headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/**
 * Sends events until there are no more, the reader is gone, or the server closes. Trouble ends the stream without an
 * event `end`, so the reader comes back and is told then. Throws `QuotaError` where the user follows too many.
 */
export function sendEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  open: (signal: AbortSignal) => AsyncIterable<ServerEvent | typeof stillThere>,
): FastifyReply {
  void reply.type('text/event-stream').header('cache-control', 'no-cache').header('x-accel-buffering', 'no');
  // A connection kept for a next request would hold up a server that stops.
  void reply.header('connection', 'close');
  if (request.method === 'HEAD') return reply.send();
  const place = request.server.streams.open(request.caller);
  const gone = new AbortController();
  const leave = (): void => {
    place[Symbol.dispose]();
    gone.abort();
  };
  // Who hung up while the execution was looked for closes it no second time.
  if (reply.raw.destroyed) leave();
  else reply.raw.once('close', leave);
  const signal = AbortSignal.any([gone.signal, request.server.closing]);
  return reply.send(Readable.from(renderStream(request, open(signal), signal)));
}

async function* renderStream(
  request: FastifyRequest,
  events: AsyncIterable<ServerEvent | typeof stillThere>,
  signal: AbortSignal,
): AsyncIterable<string> {
  // Sent at once, so that the reader sees the stream open.
  yield 'retry: 1000\n\n';
  try {
    for await (const event of events) yield event === stillThere ? ': still there\n\n' : renderEvent(event);
  } catch (thrown) {
    if (!signal.aborted) request.log.warn({ err: asError(thrown) }, 'event stream broken off');
  }
}
