/** Messages that wait, as those are shown them who may read the actor. Their variables are not: they may hold secrets. */

import type { FastifyRequest } from 'fastify';
import { InvalidError } from '../errors.ts';
import type { Blobs } from '../executions/blobs.ts';
import type { WaitingMessage } from '../executions/execution-store.ts';
import { openBody } from './execution-reader.ts';
import { queryOf } from './request-body.ts';
import { type Attributes, renderTime } from './wire.ts';

const mostShown = 1_000;

/** Bytes of messages in one answer; of larger ones only what they are is told. */
const mostBytes = 8 * 1024 * 1024;

/** How many messages are asked for; nothing when none are. */
export function readCount(request: FastifyRequest): number | undefined {
  const text = queryOf(request).get('count')?.[0];
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new InvalidError('request.invalid', 'Parameter "count" must be a whole number');
  return Math.min(Number(text), mostShown);
}

type Readable = Pick<Blobs, 'open' | 'size'>;

/** In their order; those for which there is no room left are told without their content. */
export async function showWaiting(waiting: readonly WaitingMessage[], blobs: Readable): Promise<readonly Attributes[]> {
  const shown: Attributes[] = [];
  let room = mostBytes;
  for (const { execution, message } of waiting) {
    const { body, contentType } = message;
    const bytes = 'inline' in body ? body.inline.byteLength : body.bytes;
    const fits = bytes <= room;
    if (fits) room -= bytes;
    shown.push({
      execution_id: execution.id,
      executor: execution.executor,
      message_received_time: renderTime(execution.receivedAt),
      content_type: contentType,
      bytes,
      message: fits ? await readContent(message, blobs) : null,
    });
  }
  return shown;
}

async function readContent({ body, contentType }: WaitingMessage['message'], blobs: Readable): Promise<string | null> {
  try {
    const bytes = await Array.fromAsync(openBody(blobs, body));
    return Buffer.concat(bytes).toString(contentType === 'application/octet-stream' ? 'base64' : 'utf8');
  } catch (thrown) {
    // A file that is gone belonged to a message that has run meanwhile.
    if ('blob' in body && (await blobs.size(body.blob)) === undefined) return null;
    throw thrown;
  }
}
