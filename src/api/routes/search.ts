/** Search over actors, executions, workers and logs of a tenant (contract §7.13). */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { InvalidError } from '../../errors.ts';
import { answerSearch, searchMessages } from '../answer-search.ts';
import { actorRef } from '../schemas/actor.ts';
import { envelope, errors } from '../schemas/common.ts';
import { foundExecution } from '../schemas/execution.ts';
import { aboutSearch, foundLog, searchMetadata, searchQuerystring, searchResult } from '../schemas/search.ts';
import { foundWorker } from '../schemas/worker.ts';
import type { Envelope } from '../wire.ts';

const kinds = ['actors', 'executions', 'workers', 'logs'] as const;

export async function searchRoutes(app: FastifyInstance): Promise<void> {
  app.addSchema(searchMetadata);

  app.get('/actors/search/:search_type', {
    schema: {
      tags: ['Search'],
      operationId: 'search',
      summary: 'Search',
      description: `Those of actors the caller may read. ${aboutSearch}`,
      params: Type.Object({
        search_type: Type.Union(
          kinds.map((kind) => Type.Literal(kind)),
          { description: 'What is searched.' },
        ),
      }),
      querystring: searchQuerystring,
      response: {
        200: envelope(
          searchResult(Type.Unsafe({ anyOf: [actorRef, foundExecution, foundWorker, foundLog] })),
          searchMessages.search,
        ),
        ...errors(),
      },
    },
    handler: search,
  });
}

async function search(request: FastifyRequest): Promise<Envelope> {
  const { search_type: asked } = request.params as { readonly search_type: string };
  const kind = kinds.find((known) => known === asked);
  if (kind) return await answerSearch(request, { kind, message: searchMessages.search });
  const shown = JSON.stringify(asked.slice(0, 80));
  throw new InvalidError('request.invalid', `Search type ${shown} is unknown; it is one of: ${kinds.join(', ')}`);
}
