/** The log of an execution as it grows, from an offset on, to its end. */

import { type Execution, isFinal } from '../executions/execution.ts';
import { liveLogName } from '../executions/live-log.ts';
import { type ServerEvent, stillThere } from './event-stream.ts';
import { openBody, readEndedLog, readExecution, truncationMark } from './execution-reader.ts';
import { renderProgress } from './execution-view.ts';
import type { Services } from './services.ts';
import { characterEnd } from './utf8.ts';
import { watchExecution } from './watch-execution.ts';

export interface FollowOptions {
  /** Bytes the reader has already. */
  readonly offset: number;
  readonly signal: AbortSignal;
}

type Readers = Pick<Services, 'executions' | 'history' | 'blobs' | 'news' | 'config' | 'clock'>;

export async function* followLog(
  services: Readers,
  first: Execution,
  { offset, signal }: FollowOptions,
): AsyncIterable<ServerEvent | typeof stillThere> {
  let position = offset;
  const watch = { kinds: ['running', 'ended'], everyMs: () => services.config.logs.pollMs, signal } as const;
  for await (const execution of watchExecution(services, first, watch)) {
    if (execution === stillThere) {
      yield stillThere;
    } else if (isFinal(execution.state)) {
      yield* endOfLog(services, execution, position);
      return;
    } else {
      for await (const event of grownLog(services.blobs, execution.id, position)) {
        position = Number(event.id);
        yield event;
      }
    }
  }
}

/** What is there of a live log behind `offset`; nothing when there is none, or none any more. */
async function* grownLog(
  blobs: Services['blobs'],
  executionId: string,
  offset: number,
): AsyncIterable<Required<ServerEvent>> {
  const name = liveLogName(executionId);
  const size = await blobs.size(name);
  if (size === undefined || size <= offset) return;
  try {
    yield* logEvents(blobs.open(name, offset), offset, false);
  } catch (thrown) {
    if ((await blobs.size(name)) !== undefined) throw thrown;
  }
}

async function* endOfLog(services: Readers, execution: Execution, offset: number): AsyncIterable<ServerEvent> {
  const log = await readEndedLog(services, execution);
  if (log) {
    yield* logEvents(openBody(services.blobs, log.body, offset), offset, true);
    if (log.truncated) yield { event: 'log', data: { logs: truncationMark } };
  }
  const settled = (await readExecution(services, execution, execution.id)) ?? execution;
  yield { event: 'end', data: renderProgress(settled, services.clock.now()) };
}

/** Chunks that end where a character does. At the end of the log a broken character is sent as it is. */
async function* logEvents(
  chunks: AsyncIterable<Uint8Array>,
  from: number,
  atEnd: boolean,
): AsyncIterable<Required<ServerEvent>> {
  let rest: Buffer = Buffer.alloc(0);
  let position = from;
  const event = (bytes: Buffer): Required<ServerEvent> => {
    position += bytes.length;
    return { event: 'log', id: String(position), data: { logs: bytes.toString() } };
  };
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = characterEnd(bytes);
    rest = bytes.subarray(end);
    if (end > 0) yield event(bytes.subarray(0, end));
  }
  if (atEnd && rest.length > 0) yield event(rest);
}
