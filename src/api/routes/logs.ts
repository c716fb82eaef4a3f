/** Logs of an execution: as far as they are, or followed as they grow (contract §7.9; the following is ours). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { answerSearch, searchMessages } from '../answer-search.ts';
import { becomesSearch } from '../bounded-listing.ts';
import { acceptsEvents, eventContent, lastEventId, sendEvents } from '../event-stream.ts';
import { findExecution, readLogText } from '../execution-reader.ts';
import { findActor, refOf } from '../find-actor.ts';
import { followLog } from '../follow-log.ts';
import { envelope, errors, executionParams, selfAndOwner } from '../schemas/common.ts';
import { foundLog, searchOrListing, searchQuerystring, searchResult } from '../schemas/search.ts';
import { linksOf, success } from '../success.ts';
import type { Envelope } from '../wire.ts';

/** No filter of a search. */
const known = ['follow'];

const retrieved = 'Logs retrieved successfully.';

export async function logRoutes(app: FastifyInstance): Promise<void> {
  const logs = Type.Object({
    logs: Type.String({ description: 'Standard output and error, interleaved; empty when none yet or expired.' }),
    _links: Type.Object({ ...selfAndOwner, execution: Type.String({ format: 'uri' }) }),
  });
  const logEvent = Type.Object({ logs: Type.String({ description: 'What was written since the event before.' }) });
  app.get('/actors/:actor_id/executions/:execution_id/logs', {
    schema: {
      tags: ['Logs'],
      operationId: 'getLogs',
      summary: 'Read or follow the log',
      description:
        'The log as far as it is. Followed with follow=true or Accept: text/event-stream: events "log", whose data is ' +
        'JSON {"logs": text} and whose id is the byte offset after it, then one event "end" with how the execution ended. ' +
        `Last-Event-ID goes on where a broken connection stopped. ${searchOrListing}`,
      params: executionParams,
      querystring: Type.Object({
        ...searchQuerystring.properties,
        follow: Type.Optional(Type.String({ description: '"true" follows the log.' })),
      }),
      response: {
        200: {
          description: retrieved,
          content: {
            'application/json': { schema: envelope(Type.Union([logs, searchResult(foundLog)]), retrieved) },
            ...eventContent(logEvent),
          },
        },
        ...errors(),
      },
    },
    handler: getLogs,
  });
}

async function getLogs(request: FastifyRequest, reply: FastifyReply): Promise<Envelope | FastifyReply> {
  const actor = await findActor(request);
  const execution = await findExecution(request, refOf(actor));
  const { services } = request.server;
  const links = linksOf(request);
  if (isFollowed(request)) {
    const offset = Number(lastEventId(request) ?? 0);
    return sendEvents(request, reply, (signal) =>
      followLog(services, execution, { offset: Number.isSafeInteger(offset) ? Math.max(0, offset) : 0, signal }),
    );
  }
  if (becomesSearch(request, known)) {
    const { logs: message } = searchMessages;
    return await answerSearch(request, { kind: 'logs', message, actorId: actor.id, executionId: execution.id, known });
  }
  return success(request, retrieved, {
    logs: await readLogText(services, execution),
    _links: {
      self: links.logs(actor.id, execution.id),
      owner: links.profile(actor.owner),
      execution: links.execution(actor.id, execution.id),
    },
  });
}

function isFollowed(request: FastifyRequest): boolean {
  const { follow } = request.query as { readonly follow?: string };
  return follow?.toLowerCase() === 'true' || acceptsEvents(request);
}
