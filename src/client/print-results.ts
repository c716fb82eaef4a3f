/** Results as they are taken from the service, one after the other. */

import { renderBytes } from './output.ts';
import type { Screen } from './screen.ts';
import type { Service } from './service.ts';

export interface ResultsOf {
  readonly service: Pick<Service, 'takeResult'>;
  readonly actorId: string;
  readonly executionId: string;
  readonly signal: AbortSignal;
}

/**
 * All that are left, in the order sent. Reading takes them away, so each is handed on before the next is asked for, and
 * none is once the signal aborts.
 */
export async function* takeResults({ service, actorId, executionId, signal }: ResultsOf): AsyncIterable<Buffer> {
  for (;;) {
    signal.throwIfAborted();
    const result = await service.takeResult(actorId, executionId);
    if (result === undefined) return;
    yield result;
  }
}

/** Text as it is. What is not text goes into a pipe as it is too; on a terminal it is named instead. */
export async function printResult(result: Uint8Array, screen: Screen): Promise<void> {
  const text = readableText(result);
  if (!screen.isTerminal) await screen.write(result);
  else if (text === undefined)
    screen.note(`result of ${renderBytes(result.length)} that is no text; --output FILE keeps it`);
  else await screen.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** One JSON array, begun before the first result is taken; each is written before the next is asked for. */
export async function printResultsAsJson(results: AsyncIterable<Uint8Array>, screen: Screen): Promise<void> {
  await writeArray(results, screen, '');
  await screen.write('\n');
}

/** The same, as the last field of what stands before it. */
export async function printWithResultsAsJson(
  before: Readonly<Record<string, unknown>>,
  results: AsyncIterable<Uint8Array>,
  screen: Screen,
): Promise<void> {
  await screen.write(`${JSON.stringify(before, null, 2).slice(0, -'\n}'.length)},\n  "results": `);
  await writeArray(results, screen, '  ');
  await screen.write('\n}\n');
}

async function writeArray(results: AsyncIterable<Uint8Array>, screen: Screen, indent: string): Promise<void> {
  await screen.write('[');
  let count = 0;
  for await (const result of results) {
    const lines = JSON.stringify(describeResult(result), null, 2).replaceAll('\n', `\n${indent}  `);
    await screen.write(`${count === 0 ? '' : ','}\n${indent}  ${lines}`);
    count += 1;
  }
  await screen.write(count === 0 ? ']' : `\n${indent}]`);
}

/** As JSON: text as it is, other bytes in base64. */
export function describeResult(result: Uint8Array): { readonly text: string } | { readonly base64: string } {
  const text = readableText(result);
  return text === undefined ? { base64: Buffer.from(result).toString('base64') } : { text };
}

/** UTF-8 without control characters other than tab and line breaks. */
function readableText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return /(?![\t\n\r])\p{Cc}/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
