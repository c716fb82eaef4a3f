/** The log of an execution, written as it grows: as server-sent events where they are offered, else by asking again. */

import { pause } from '../lib/backoff.ts';
import { isRecord } from './answer.ts';
import { parseEvents } from './event-stream.ts';
import type { HttpAnswer } from './http.ts';
import type { Service } from './service.ts';

export interface FollowOptions {
  readonly service: Service;
  readonly actorId: string;
  readonly executionId: string;
  readonly write: (text: string) => Promise<void>;
  readonly everyMs: number;
}

export interface LogFollower {
  /** Writes what is still missing, then rests. To be called once the execution has ended. */
  finish(): Promise<void>;
  /** Rests at once. */
  stop(): Promise<void>;
}

/** Begins at once. Each character is written once, although every connection starts from the beginning. */
export function followLog({ service, actorId, executionId, write, everyMs }: FollowOptions): LogFollower {
  const leaving = new AbortController();
  let writtenLength = 0;
  const writeFrom = async (offset: number, text: string): Promise<void> => {
    const fresh = text.slice(Math.max(0, writtenLength - offset));
    if (offset + text.length <= writtenLength || fresh === '') return;
    writtenLength = offset + text.length;
    await write(fresh);
  };
  const askWhole = async (): Promise<void> => await writeFrom(0, await service.log(actorId, executionId));
  const followOnce = async (): Promise<void> => {
    const answer = await service.openLog(actorId, executionId, leaving.signal);
    if (isEventStream(answer)) await writeEvents(answer, writeFrom);
    else await askWhole();
  };
  const followUntilLeft = async (): Promise<void> => {
    while (!leaving.signal.aborted) {
      // Trouble is told where the execution's state is asked for; what is missing here comes with `finish`.
      await followOnce().catch(() => undefined);
      await pause(everyMs, leaving.signal);
    }
  };
  const following = followUntilLeft();
  const stop = async (): Promise<void> => {
    leaving.abort();
    await following;
  };
  return {
    stop,
    finish: async () => {
      await stop();
      await askWhole();
    },
  };
}

function isEventStream({ headers }: HttpAnswer): boolean {
  return headers['content-type']?.startsWith('text/event-stream') ?? false;
}

async function writeEvents(
  answer: HttpAnswer,
  writeFrom: (offset: number, text: string) => Promise<void>,
): Promise<void> {
  let offset = 0;
  for await (const { name, data } of parseEvents(answer.body)) {
    if (name !== 'log') continue;
    const text = parseLogEvent(data);
    await writeFrom(offset, text);
    offset += text.length;
  }
}

function parseLogEvent(data: string): string {
  const value: unknown = JSON.parse(data);
  const text = isRecord(value) ? value['logs'] : undefined;
  return typeof text === 'string' ? text : '';
}
