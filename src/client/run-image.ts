/** `abaco run`: one message to an image that need not be registered, followed to its end. */

import { randomUUID } from 'node:crypto';
import { asError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { ActorAnswer } from './answer.ts';
import { exitOf } from './exit-of.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { renderJson } from './output.ts';
import { printResult, printWithResultsAsJson, takeResults } from './print-results.ts';
import { openResultFile, type ResultFile } from './result-file.ts';
import type { Screen } from './screen.ts';
import type { Service } from './service.ts';
import { patienceFor, watchExecution } from './watch-execution.ts';

export interface RunImageOptions {
  readonly service: Service;
  readonly screen: Screen;
  readonly clock: Clock;
  readonly image: string;
  readonly message: OutgoingMessage;
  /** Leaves the actor registered, and takes the one an earlier run left. */
  readonly keep: boolean;
  /** The log is not shown. */
  readonly quiet: boolean;
  readonly json: boolean;
  /** File for the results. */
  readonly output?: string;
  readonly signal: AbortSignal;
}

/**
 * Names of actors that runs register. A throw-away one is never shared: the end of its run removes it, with all that
 * still runs for it.
 */
const keptName = 'abaco-run';
const throwAwayName = 'abaco-run-once';

/** @returns the exit code: the program's own, or 1 when it never ran to an end. */
export async function runImage(options: RunImageOptions): Promise<number> {
  const { service, image, keep, output } = options;
  await using file = output === undefined ? undefined : await openResultFile(output);
  const actor = keep ? await keptActor(service, image) : await service.register({ image, name: throwAwayName });
  try {
    return await runMessage(options, actor, file);
  } finally {
    if (!keep) await removeActor(options, actor);
  }
}

/** What the name of the image means is looked up again, so that what was built since runs. */
async function keptActor(service: Service, image: string): Promise<ActorAnswer> {
  const actors = await service.actors();
  const known = actors.find((actor) => actor.name === keptName && actor.image === image && actor.stateless);
  return known ? await service.refresh({ id: known.id, image }) : await service.register({ image, name: keptName });
}

async function removeActor({ service, screen }: RunImageOptions, { id }: ActorAnswer): Promise<void> {
  await service.remove(id).catch((thrown: unknown) => {
    screen.note(`Actor "${id}" was not removed: ${asError(thrown).message}`);
  });
}

async function runMessage(options: RunImageOptions, actor: ActorAnswer, file?: ResultFile): Promise<number> {
  const { service, screen, message, keep, json, quiet, signal } = options;
  const idempotencyKey = randomUUID();
  const post = () => service.post(actor.id, message, { idempotencyKey, signal });
  const executionId = await patienceFor(options)(post);
  if (keep) screen.note(`actor ${actor.id}, execution ${executionId}`);
  const log: string[] = [];
  const writeLog = async (text: string): Promise<void> => {
    if (json) log.push(text);
    else if (!quiet) await screen.write(text);
  };
  const execution = await cancelOnAbort(options, actor.id, executionId, () =>
    watchExecution({ ...options, actorId: actor.id, executionId, writeLog }),
  );
  const results = takeResults({ service, actorId: actor.id, executionId, signal });
  const told = { actor: actor.id, execution: execution.source, log: log.join('') };
  if (file) screen.note(await file.save(results));
  if (json && file) await screen.write(renderJson(told));
  else if (json) await printWithResultsAsJson(told, results, screen);
  else if (!file) for await (const result of results) await printResult(result, screen);
  const { code, reason } = exitOf(execution);
  if (reason !== undefined) screen.note(reason);
  return code;
}

/** An interrupted run leaves nothing running, also where its actor stays. */
async function cancelOnAbort<T>(
  { service, screen, keep, signal }: RunImageOptions,
  actorId: string,
  executionId: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (signal.aborted && keep) {
      await service.cancel(actorId, executionId).catch((refused: unknown) => {
        screen.note(`Execution "${executionId}" was not cancelled: ${asError(refused).message}`);
      });
    }
    throw thrown;
  }
}
