/** The messages of a batch as they were sent: what each says, and why it is none. Pure. */

import { InvalidError } from '../errors.ts';
import { renderValue, type ValueText } from '../executions/value-text.ts';
import { isIdempotencyKey } from './idempotency.ts';
import { elementSources, memberSources } from './json-members.ts';
import { planTextMessage, type TextMessage } from './message-request.ts';
import { parseJson } from './request-body.ts';
import { variableProblem } from './variable-problem.ts';

/** Most messages of one batch. */
export const mostInBatch = 10_000;

export interface BatchItem {
  readonly content: TextMessage | { readonly binary: Uint8Array };
  /** Beside the variables of the whole batch, and before them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly key?: string;
}

/** Reads the next item when it is asked for, so that a large batch is no long pause. Throws what is wrong with it. */
export type ItemReader = () => BatchItem;

/** Throws `InvalidError` where the body is no batch at all. */
export function readBatch(body: Buffer, valueText: ValueText): readonly ItemReader[] {
  const json = body.toString();
  const value = parseJson(json, whatBatch);
  const items = listOf(value);
  if (!items || items.length === 0 || items.length > mostInBatch) {
    const count = items ? `${items.length} are given` : 'there is none';
    throw invalid(`"messages" must be a list of 1 to ${mostInBatch} messages; ${count}`);
  }
  let sources: readonly string[] | undefined;
  // Only where a message is not text: how it was written is read from the whole body.
  const sourceOf = (index: number): string => {
    sources ??= elementSources(Array.isArray(value) ? json : (memberSources(json).get('messages') ?? '[]'));
    return sources[index] ?? '';
  };
  return items.map((item, index) => () => readItem(item, () => sourceOf(index), valueText));
}

const whatBatch = 'Invalid batch';

function listOf(value: unknown): readonly unknown[] | undefined {
  const list = isMapping(value) ? value['messages'] : value;
  return Array.isArray(list) ? list : undefined;
}

const kinds = ['message', 'json', 'binary'] as const;

function readItem(item: unknown, source: () => string, valueText: ValueText): BatchItem {
  if (typeof item === 'string')
    return { content: planText(item, () => JSON.stringify(item), valueText), environment: {} };
  if (!isMapping(item)) throw invalid('a message is a text, or an object with one of "message", "json" and "binary"');
  const given = kinds.filter((kind) => Object.hasOwn(item, kind));
  const [kind] = given;
  if (!kind || given.length > 1) throw invalid('a message has exactly one of "message", "json" and "binary"');
  const key = item['idempotency_key'];
  if (key !== undefined && !isIdempotencyKey(key)) {
    throw invalid('"idempotency_key" must be 1 to 255 visible ASCII characters');
  }
  return {
    content: kind === 'binary' ? { binary: readBase64(item[kind]) } : readText(kind, item[kind], source, valueText),
    environment: readVariables(item['environment'], valueText),
    ...(key === undefined ? {} : { key }),
  };
}

/** As the field `message` of a JSON body, or as the whole body. */
function readText(kind: 'message' | 'json', value: unknown, source: () => string, valueText: ValueText): TextMessage {
  if (kind === 'message') return planText(value, () => memberSources(source()).get('message') ?? '', valueText);
  const body = Buffer.from(memberSources(source()).get('json') ?? '');
  return planTextMessage({ mediaType: 'application/json', body, given: [], valueText });
}

function planText(message: unknown, source: () => string, valueText: ValueText): TextMessage {
  if (typeof message === 'string' && message !== '') return { contentType: 'str', text: message, echo: message };
  const body = Buffer.from(`{"message":${source()}}`);
  const text = planTextMessage({ mediaType: 'application/json', body, given: [], valueText });
  if (text.contentType === 'str') return text;
  throw invalid('"message" is empty');
}

function readBase64(value: unknown): Uint8Array {
  if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0) {
    return Buffer.from(value, 'base64');
  }
  throw invalid('"binary" must be base64 with its padding');
}

function readVariables(value: unknown, valueText: ValueText): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isMapping(value)) throw invalid('"environment" must be an object of texts');
  const entries = Object.entries(value).map(
    ([name, one]) => [name, renderValue(JSON.stringify(one), valueText)] as const,
  );
  for (const [name, text] of entries) {
    const problem = variableProblem(name, text);
    if (problem !== undefined) throw invalid(problem);
  }
  return Object.fromEntries(entries);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(reason: string): InvalidError {
  return new InvalidError('request.invalid', `${whatBatch}: ${reason}`);
}
