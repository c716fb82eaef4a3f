/** Executions of an actor: all, one, and the end of one (contract §7.8). */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { ConflictError } from '../../errors.ts';
import type { Execution } from '../../executions/execution.ts';
import { isId } from '../../lib/ids.ts';
import { answerSearch, searchMessages } from '../answer-search.ts';
import { becomesSearch, boundedListing, latestOf, listingPage, reachOf, tellTotal } from '../bounded-listing.ts';
import { findExecution, readExecution, unknownExecution } from '../execution-reader.ts';
import { renderExecution, renderSummary } from '../execution-view.ts';
import { explainWait } from '../explain-wait.ts';
import { findActor, refOf } from '../find-actor.ts';
import { listExecutions } from '../list-executions.ts';
import { actorParams, envelope, errors, executionParams } from '../schemas/common.ts';
import { execution, executionRef, executionSummary, foundExecution } from '../schemas/execution.ts';
import { listingQuerystring, searchOrListing, searchResult } from '../schemas/search.ts';
import { linksOf, spelled, spellingOf, success } from '../success.ts';
import { type Envelope, executionStatusWords } from '../wire.ts';

const tags = ['Executions'];

const messages = {
  list: 'Actor executions retrieved successfully.',
  get: 'Actor execution retrieved successfully.',
  cancel: (id: string) => `Issued force quit command for execution ${id}.`,
};

export async function executionRoutes(app: FastifyInstance): Promise<void> {
  app.addSchema(execution);

  app.get('/actors/:actor_id/executions', {
    schema: {
      tags,
      operationId: 'listExecutions',
      summary: 'List executions',
      description: `The executions of the actor, the oldest first, with totals over all. ${boundedListing} ${searchOrListing}`,
      params: actorParams,
      querystring: listingQuerystring,
      response: {
        200: envelope(Type.Union([executionSummary, searchResult(foundExecution)]), messages.list),
        ...errors(),
      },
    },
    handler: getExecutions,
  });
  app.get('/actors/:actor_id/executions/:execution_id', {
    schema: {
      tags,
      operationId: 'getExecution',
      summary: 'Read an execution',
      description: 'How far one execution is, how it ended, what it used, and why it waits.',
      params: executionParams,
      response: { 200: envelope(executionRef, messages.get), ...errors() },
    },
    handler: getExecution,
  });
  app.delete('/actors/:actor_id/executions/:execution_id', {
    schema: {
      tags,
      operationId: 'cancelExecution',
      summary: 'Cancel a running execution',
      description:
        'Asks for the end and answers at once; the execution ends COMPLETE, or as compat.failed_status says where its program ends with another exit code than 0. Refused unless it is RUNNING.',
      params: executionParams,
      response: { 200: envelope(Type.Null(), messages.cancel('E')), ...errors() },
    },
    handler: cancelExecution,
  });
}

async function getExecutions(request: FastifyRequest, reply: FastifyReply): Promise<Envelope> {
  const actor = await findActor(request);
  if (becomesSearch(request)) {
    return await answerSearch(request, { kind: 'executions', message: searchMessages.executions, actorId: actor.id });
  }
  const { services } = request.server;
  const links = linksOf(request);
  const page = listingPage(request);
  const listing = await listExecutions(services, refOf(actor), reachOf(page));
  tellTotal(reply, listing.totals.count);
  const shown = { ...listing, executions: latestOf(listing.executions, page) };
  const summary = renderSummary(actor, shown, links, spellingOf(request));
  return success(request, messages.list, spelled(request, summary));
}

async function getExecution(request: FastifyRequest): Promise<Envelope> {
  const actor = await findActor(request);
  const { services } = request.server;
  const links = linksOf(request);
  const found = await explainWait(services, await findExecution(request, refOf(actor)));
  return success(request, messages.get, spelled(request, renderExecution(found, links, services.clock.now())));
}

async function cancelExecution(request: FastifyRequest): Promise<Envelope> {
  const actor = refOf(await findActor(request));
  const { execution_id: id } = request.params as { readonly execution_id: string };
  const { services } = request.server;
  const outcome = isId(id) ? await services.mailbox.cancel(actor, id) : 'unknown';
  if (outcome === 'requested') return success(request, messages.cancel(id), null);
  if (outcome !== 'unknown') throw notRunning(outcome);
  const ended = await readExecution(services, actor, id);
  throw ended ? notRunning(ended.state) : unknownExecution(actor, id);
}

function notRunning(state: Execution['state']): ConflictError {
  const found = `Execution was found in status: ${executionStatusWords[state]}`;
  return new ConflictError('execution.not_running', `Cannot force quit an execution not in RUNNING status. ${found}`);
}
