/** Executions of all actors a caller may read, the newest first, page by page. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { readingAs } from '../../auth/readers.ts';
import { InvalidError } from '../../errors.ts';
import type { ExecutionState } from '../../executions/execution.ts';
import type { NewestQuery, Place } from '../../history/newest.ts';
import { isId } from '../../lib/ids.ts';
import { optional } from '../../lib/optional.ts';
import { parseBroadTime } from '../broad-time.ts';
import { findActorNamed } from '../find-actor.ts';
import { queryOf } from '../request-body.ts';
import { envelope, errors } from '../schemas/common.ts';
import { foundExecution } from '../schemas/execution.ts';
import { renderFound } from '../search-view.ts';
import { linksOf, spelled, success } from '../success.ts';
import { type Envelope, executionStatusWords } from '../wire.ts';

const message = 'Executions retrieved successfully.';

const usualLimit = 100;
const mostLimit = 1_000;

/** Longest a page waits for what was answered before it and is not in the history yet. */
const patienceMs = 2_000;

export async function latestRoutes(app: FastifyInstance): Promise<void> {
  app.get('/actors/executions', {
    schema: {
      tags: ['Executions'],
      operationId: 'listLatestExecutions',
      summary: 'List executions of all actors',
      description:
        'Those of actors the caller may read, the newest first; an administrator sees all of the tenant. A page costs ' +
        'the same however many there are. Also answered at `/executions`.',
      querystring: Type.Object({
        status: Type.Optional(Type.String({ description: 'SUBMITTED, RUNNING, COMPLETE or ERROR.' })),
        actor: Type.Optional(Type.String({ description: 'Only those of this actor: its hash id, or an alias.' })),
        from: Type.Optional(Type.String({ description: 'Received then or later; ISO 8601, from a year alone on.' })),
        until: Type.Optional(Type.String({ description: 'Received before then.' })),
        limit: Type.Optional(
          Type.Integer({
            minimum: 1,
            default: usualLimit,
            description: 'Most that are given; more than 1000 counts as 1000.',
          }),
        ),
        cursor: Type.Optional(Type.String({ description: 'As the page before gave it in `next`.' })),
      }),
      response: {
        200: envelope(
          Type.Object({
            executions: Type.Array(foundExecution, { description: 'The newest first.' }),
            next: Type.Optional(
              Type.Union([Type.String(), Type.Null()], {
                description: 'Cursor of the next page; null after the last one.',
              }),
            ),
            incomplete: Type.Optional(
              Type.String({ description: 'Said where what was changed in the last moments may be missing.' }),
            ),
            _links: Type.Object({ self: Type.String({ format: 'uri' }) }),
          }),
          message,
        ),
        ...errors(),
      },
    },
    handler: listLatest,
  });
}

async function listLatest(request: FastifyRequest): Promise<Envelope> {
  const { caller, server } = request;
  const { outbox, history } = server.services;
  const query = readQuery(request);
  const named = queryOf(request).get('actor')?.[0];
  const actor = named === undefined ? undefined : await findActorNamed(request, named);
  const readers = readingAs(caller);
  const scope = { tenant: caller.tenant, ...optional('actorId', actor?.id), ...optional('readers', readers) };
  const complete = await outbox.catchUp(scope, patienceMs);
  const found = await history.newest(scope, { ...query, limit: query.limit + 1 });
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  const links = linksOf(request);
  const result = {
    _links: { self: links.latest },
    executions: page.map((entry) =>
      spelled(request, renderFound('executions', entry, links) ?? { id: entry.id, actor_id: entry.actorId }),
    ),
    ...(complete ? {} : { incomplete: 'What was changed in the last moments may be missing; ask again' }),
    next: last && found.length > page.length ? writeCursor(last) : null,
  };
  return success(request, message, spelled(request, result));
}

function readQuery(request: FastifyRequest): NewestQuery {
  const given = queryOf(request);
  const first = (name: string): string | undefined => given.get(name)?.[0];
  return {
    ...optional('status', readStatus(first('status'))),
    ...optional('from', readTime('from', first('from'))),
    ...optional('until', readTime('until', first('until'))),
    ...optional('after', readCursor(first('cursor'))),
    limit: readLimit(first('limit')),
  };
}

function readStatus(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const state = text.toLowerCase() as ExecutionState;
  if (Object.hasOwn(executionStatusWords, state)) return executionStatusWords[state];
  throw invalid(`"status" is one of: ${Object.values(executionStatusWords).join(', ')}`);
}

function readTime(name: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = parseBroadTime(text);
  if (time) return time;
  throw invalid(`"${name}" must be a time as in 2026-05-01T14:45:41Z, or the start of one`);
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return usualLimit;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return Math.min(limit, mostLimit);
  throw invalid('"limit" must be a whole number above 0');
}

/** Where a page ended; clients hand it back as it is. */
function writeCursor({ time, id }: Place): string {
  return Buffer.from(`${time.getTime()} ${id}`).toString('base64url');
}

function readCursor(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined;
  const [, ms, id = ''] = /^(\d{1,15}) (\w+)$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (ms !== undefined && isId(id)) return { time: new Date(Number(ms)), id };
  throw invalid('"cursor" is none that a page gave in "next"');
}

function invalid(reason: string): InvalidError {
  return new InvalidError('request.invalid', `Invalid listing: parameter ${reason}`);
}
