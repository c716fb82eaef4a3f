/** Lines of a file as messages of batches, each batch no more than one request takes. */

import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { asError, InvalidError } from '../errors.ts';

/** What the service takes in one request. */
export const mostInBatch = 10_000;
/** Half of it: what carries the messages needs room too. */
const mostBytes = 8 * 1024 * 1024;

export interface LineFault {
  readonly code: string;
  readonly message: string;
}

/** Counted from 1. Either a message, as the JSON that goes into the request, or why it is none. */
export type BatchLine = { readonly line: number } & ({ readonly message: string } | { readonly fault: LineFault });

/** Files that are named for it hold JSON; what others hold is text, whatever it looks like. */
export function holdsJson(file: string): boolean {
  return /\.(jsonl|ndjson)$/i.test(file);
}

/** The file, or standard input for "-". Ends with an error when `signal` aborts. */
export async function* openSource(file: string, stdin: Readable, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const source = file === '-' ? stdin : createReadStream(file);
  try {
    yield* addAbortSignal(signal, source) as AsyncIterable<Uint8Array>;
  } catch (thrown) {
    if (signal.aborted) throw thrown;
    throw new InvalidError('request.invalid', `File "${file}" cannot be sent: ${asError(thrown).message}`);
  }
}

/** Every line that is not empty, in order, once so many are read as go together. */
export async function* readBatches(
  source: AsyncIterable<Uint8Array>,
  isJson: boolean,
): AsyncIterable<readonly BatchLine[]> {
  let batch: BatchLine[] = [];
  let bytes = 0;
  let line = 0;
  for await (const content of splitLines(source)) {
    line += 1;
    const read = readLine(content, line, isJson);
    if (read === undefined) continue;
    const more = 'message' in read ? Buffer.byteLength(read.message) : 0;
    if (batch.length === mostInBatch || bytes + more > mostBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(read);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

/** Without their line breaks. By bytes, since JSON holds characters that other readers of lines take for breaks. */
async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  let pieces: Buffer[] = [];
  for await (const chunk of source) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      yield Buffer.concat([...pieces, rest.subarray(0, end)]);
      pieces = [];
      rest = rest.subarray(end + 1);
    }
    if (rest.byteLength > 0) pieces.push(rest);
  }
  if (pieces.length > 0) yield Buffer.concat(pieces);
}

function readLine(content: Buffer, line: number, isJson: boolean): BatchLine | undefined {
  const text = decode(content)?.replace(/\r$/, '');
  if (text === undefined) return fault(line, 'is not UTF-8');
  const given = line === 1 ? text.replace(/^\uFEFF/, '') : text;
  if (given === '' || (isJson && given.trim() === '')) return undefined;
  if (isJson && !isJsonText(given)) return fault(line, 'is not JSON');
  // JSON goes as it was written: numbers of any length, names in their order.
  const message = isJson ? given : JSON.stringify(given);
  return Buffer.byteLength(message) > mostBytes ? fault(line, 'is longer than any message') : { line, message };
}

function fault(line: number, why: string): BatchLine {
  return { line, fault: { code: 'request.invalid', message: `The line ${why}` } };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
