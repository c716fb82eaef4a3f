/**
 * Executions and logs from where they are: Redis first, then the history. So an outage of the history hides only what is
 * old, and what has just ended is never missing.
 */

import type { FastifyRequest } from 'fastify';
import { NotFoundError } from '../errors.ts';
import { type Body, type Execution, isFinal, type LogRef } from '../executions/execution.ts';
import { liveLogName } from '../executions/live-log.ts';
import { isId } from '../lib/ids.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { Services } from './services.ts';

type Readers = Pick<Services, 'executions' | 'history' | 'blobs'>;

/** What the original appends to a log that was cut. */
export const truncationMark = ' LOG LIMIT EXCEEDED; this execution log was TRUNCATED!';

/** @throws NotFoundError with the contract's sentence. */
export async function findExecution(request: FastifyRequest, actor: ActorRef): Promise<Execution> {
  const { execution_id: id } = request.params as { readonly execution_id: string };
  const execution = await readExecution(request.server.services, actor, id);
  return execution ?? unknownExecution(actor, id);
}

export function unknownExecution({ actorId }: ActorRef, id: string): never {
  throw new NotFoundError(
    'execution.not_found',
    `No executions found with actor id of ${actorId} and execution id of ${id}.`,
  );
}

export async function readExecution(
  { executions, history }: Pick<Readers, 'executions' | 'history'>,
  actor: ActorRef,
  id: string,
): Promise<Execution | undefined> {
  if (!isId(id)) return undefined;
  return (await executions.get(actor, id)) ?? (await history.execution(actor.tenant, actor.actorId, id));
}

/** The whole log as text: as far as it was written while the execution runs, empty once it has expired. */
export async function readLogText(readers: Readers, execution: Execution): Promise<string> {
  if (isFinal(execution.state)) return await readEndedText(readers, execution);
  const live = await readLive(readers.blobs, execution.id);
  if (live !== undefined) return live;
  // None yet, or none any more.
  const now = await readExecution(readers, execution, execution.id);
  return now && isFinal(now.state) ? await readEndedText(readers, now) : '';
}

async function readLive(blobs: Readers['blobs'], executionId: string): Promise<string | undefined> {
  const name = liveLogName(executionId);
  try {
    if ((await blobs.size(name)) === undefined) return undefined;
    return Buffer.concat(await Array.fromAsync(blobs.open(name))).toString();
  } catch (thrown) {
    if ((await blobs.size(name)) === undefined) return undefined;
    throw thrown;
  }
}

async function readEndedText(readers: Readers, execution: Execution): Promise<string> {
  const log = await readEndedLog(readers, execution);
  if (!log) return '';
  const text = Buffer.concat(await Array.fromAsync(openBody(readers.blobs, log.body))).toString();
  return log.truncated ? text + truncationMark : text;
}

/** Nothing when it has expired and is forgotten. */
export async function readEndedLog(
  { executions, history }: Pick<Readers, 'executions' | 'history'>,
  { tenant, actorId, id }: Execution,
): Promise<LogRef | undefined> {
  return (await executions.log({ tenant, actorId }, id)) ?? (await history.log(tenant, actorId, id));
}

export async function* openBody(
  blobs: Pick<Readers['blobs'], 'open'>,
  body: Body,
  offset = 0,
): AsyncIterable<Uint8Array> {
  if ('inline' in body) {
    if (offset < body.inline.byteLength) yield body.inline.subarray(offset);
  } else {
    yield* blobs.open(body.blob, offset);
  }
}
