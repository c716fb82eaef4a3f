/** Which message a request carries and of which content type: the contract's order of decision (§7.6), pure. */

import { InvalidError } from '../errors.ts';
import { renderValue, type ValueText } from '../executions/value-text.ts';
import { memberSources } from './json-members.ts';
import { isJson, parseJson } from './request-body.ts';
import { isTruthy } from './request-fields.ts';

export interface MessageInputs {
  /** Without parameters, in lower case. */
  readonly mediaType: string;
  readonly body: Buffer;
  /** Values of a field `message` in the query and in a form, those that win first. */
  readonly given: readonly string[];
  /** How a value that is no text becomes one. */
  readonly valueText: ValueText;
}

export interface TextMessage {
  readonly contentType: 'str' | 'application/json';
  /** For JSON as it was sent, else as the container finds it. */
  readonly text: string;
  /** What the answer shows of it. */
  readonly echo: unknown;
}

const notSerialized = 'message POST body could not be serialized. Pass JSON data or use the message attribute.';

/** The original says the same sentence of every body it cannot read. */
export function planTextMessage({ mediaType, body, given, valueText }: MessageInputs): TextMessage {
  const field = given.find((value) => value !== '');
  if (field !== undefined) return { contentType: 'str', text: field, echo: field };
  const json = body.toString();
  const value = parseBody(json);
  if (isJson(mediaType)) {
    const named = messageMember(json, value, valueText);
    if (named !== undefined) return { contentType: 'str', text: named, echo: named };
  }
  if (!isTruthy(value)) throw new InvalidError('request.invalid', notSerialized);
  if (isJson(mediaType)) return { contentType: 'application/json', text: json, echo: value };
  return { contentType: 'str', text: renderValue(json, valueText), echo: value };
}

function parseBody(json: string): unknown {
  try {
    return parseJson(json, 'Invalid message');
  } catch (thrown) {
    throw new InvalidError('request.invalid', notSerialized, { cause: thrown });
  }
}

/** The field `message` of a JSON object as text; nothing when it is not there, null or empty. */
function messageMember(json: string, value: unknown, valueText: ValueText): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (!Object.hasOwn(value, 'message')) return undefined;
  const { message } = value as { readonly message: unknown };
  const isList = Array.isArray(message);
  const element = isList ? (message as readonly unknown[])[0] : message;
  if (element === undefined || element === null || element === '') return undefined;
  if (typeof element === 'string') return element;
  return renderValue(isList ? JSON.stringify(element) : (memberSources(json).get('message') ?? ''), valueText);
}

/** Bytes of the container's variable `MSG`. */
export function textBytes({ contentType, text }: TextMessage, atMost: number, valueText: ValueText): number {
  const bytes = Buffer.byteLength(text);
  // A character grows fourfold at most (0x7f becomes \x7f), so small ones need not be rendered.
  if (contentType === 'str' || bytes * 4 <= atMost) return bytes;
  return Buffer.byteLength(renderValue(text, valueText));
}

/** A variable cannot hold NUL, so such a text could never arrive whole. */
export function holdsNul({ contentType, text, echo }: TextMessage): boolean {
  return contentType === 'str' ? text.includes('\0') : typeof echo === 'string' && echo.includes('\0');
}
