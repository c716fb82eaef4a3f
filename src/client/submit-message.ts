/** `abaco submit`: one message to an actor, and with `--sync` what came of it. */

import type { Clock } from '../lib/clock.ts';
import { optional } from '../lib/optional.ts';
import { awaitEnd } from './await-end.ts';
import { exitOf } from './exit-of.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { renderJson } from './output.ts';
import { describeResult, printResult } from './print-results.ts';
import type { Screen } from './screen.ts';
import type { PostOptions, Service } from './service.ts';
import { patienceFor } from './watch-execution.ts';

export interface SubmitMessage {
  readonly service: Pick<Service, 'execution' | 'post' | 'postAndWait'>;
  readonly screen: Screen;
  readonly clock: Clock;
  readonly actorId: string;
  readonly message: OutgoingMessage;
  /** Waits for the end, and exits as the program did. */
  readonly sync: boolean;
  readonly json: boolean;
  readonly idempotencyKey?: string;
  readonly signal: AbortSignal;
}

/** @returns the exit code. */
export async function submitMessage(options: SubmitMessage): Promise<number> {
  const { service, screen, actorId, message, sync, json, idempotencyKey, signal } = options;
  const post = { signal, ...optional('idempotencyKey', idempotencyKey) };
  if (sync) return await submitAndWait(options, post);
  const executionId = await service.post(actorId, message, post);
  await screen.write(json ? renderJson({ actor: actorId, execution: executionId }) : `${executionId}\n`);
  return 0;
}

/** The answer is shown at once; a program that has handed back a result may go on for long. */
async function submitAndWait(options: SubmitMessage, post: PostOptions): Promise<number> {
  const { service, screen, actorId, message, json, signal } = options;
  const { body, executionId } = await service.postAndWait(actorId, message, post);
  if (!json) await printResult(body, screen);
  if (executionId === undefined) {
    if (json) await screen.write(renderJson(describeResult(body)));
    return 0;
  }
  const patience = patienceFor(options);
  const execution = await awaitEnd({ service, actorId, executionId, patience, signal, onLook: () => undefined });
  const { code, reason } = exitOf(execution);
  const outcome = { execution_id: executionId, exit_code: execution.exitCode ?? null };
  if (json) await screen.write(renderJson({ ...outcome, ...describeResult(body) }));
  if (reason !== undefined) screen.note(reason);
  return code;
}
