/** `abaco submit --batch`: a message a line, in as many requests as it takes, and what became of each. */

import { randomUUID } from 'node:crypto';
import { InvalidError, ServiceError, UnavailableError } from '../errors.ts';
import type { BatchLine, LineFault } from './batch-lines.ts';
import { renderJson } from './output.ts';
import type { Screen } from './screen.ts';
import type { Service } from './service.ts';

export interface SubmitBatch {
  readonly service: Pick<Service, 'postBatch'>;
  readonly screen: Screen;
  readonly actorId: string;
  /** For people. */
  readonly file: string;
  readonly batches: AsyncIterable<readonly BatchLine[]>;
  readonly environment: Readonly<Record<string, string>>;
  readonly json: boolean;
  /** The key of each message is this one and its line, so the same file under it posts nothing twice. */
  readonly idempotencyKey?: string;
  readonly signal: AbortSignal;
}

type Item = { readonly line: number } & (
  | { readonly execution: string; readonly replayed?: true }
  | { readonly error: LineFault }
);

/** Ids in the order of the lines; what was refused is named by its line and makes the exit code 1. */
export async function submitBatch(options: SubmitBatch): Promise<number> {
  const { screen, file, json, idempotencyKey: key = randomUUID() } = options;
  const items: Item[] = [];
  const again = `the same again with --idempotency-key ${key} sends the rest, and nothing twice`;
  try {
    for await (const batch of options.batches) {
      const sent = await send(options, batch, key);
      items.push(...sent);
      if (!json) for (const item of sent) await tell(item, screen);
    }
  } catch (thrown) {
    if (items.length > 0 && json) await screen.write(renderJson(items));
    if (items.length > 0 || mayBeSent(thrown)) screen.note(`Not all lines were answered; ${again}`);
    throw thrown;
  }
  if (items.length === 0)
    throw new InvalidError('request.invalid', `File "${file}" holds no message: no line has text`);
  if (json) await screen.write(renderJson(items));
  const refused = items.filter((item) => 'error' in item).length;
  if (refused === 0) return 0;
  screen.note(`${refused} of ${items.length} messages were not taken; ${again}`);
  return 1;
}

async function send(
  { service, actorId, environment, signal }: SubmitBatch,
  batch: readonly BatchLine[],
  key: string,
): Promise<readonly Item[]> {
  const messages = batch.flatMap((one) =>
    'message' in one ? [{ message: one.message, key: `${key}:${one.line}` }] : [],
  );
  const outcomes = messages.length === 0 ? [] : await service.postBatch(actorId, messages, { environment, signal });
  let next = 0;
  return batch.map((one) => {
    const { line } = one;
    if ('fault' in one) return { line, error: one.fault };
    const outcome = outcomes[(next += 1) - 1];
    if (outcome === undefined)
      throw new UnavailableError(
        'service.refused',
        `The service answered ${outcomes.length} messages of ${messages.length}`,
      );
    return { line, ...outcome };
  });
}

async function tell(item: Item, screen: Screen): Promise<void> {
  if ('execution' in item) await screen.write(`${item.execution}\n`);
  else screen.note(`line ${item.line}: ${item.error.message}`);
}

/** Whether the request may have been carried out: no answer is none, and an interrupt may have come after it. */
function mayBeSent(thrown: unknown): boolean {
  return !(thrown instanceof ServiceError) || thrown.retryable;
}
