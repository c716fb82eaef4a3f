/** Words for what a setting has to be and for what was found instead. */

import { renderByteSize } from '../lib/byte-size.ts';
import { renderDuration } from '../lib/duration.ts';
import { isSecret, maskUrl } from './secrets.ts';
import type { SchemaNode, SettingTraits } from './setting.ts';

/** "an integer from 1 to 65535", `one of "full", "weak"`, `a duration such as "30s", at least 1s, or "none"`. */
export function describeExpectation(node: SchemaNode): string {
  if (node.setting?.expects !== undefined) return node.setting.expects;
  const words = `${thingOf(node)}${rangeOf(node)}`;
  return node.setting?.none ? `${words}, or "none"` : words;
}

function thingOf(node: SchemaNode): string {
  const choices = node.enum ?? node.anyOf?.flatMap((choice) => choice.const ?? []) ?? [];
  if (choices.length > 0) return `one of ${choices.map((value) => JSON.stringify(value)).join(', ')}`;
  if (node.setting?.kind === 'duration') return 'a duration such as "30s" or "500ms"';
  if (node.setting?.kind === 'bytes') return 'a size such as "512 MiB"';
  const types = [node.type ?? []].flat().flatMap((type) => wordOfType[type] ?? []);
  return types.length > 0 ? types.join(' or ') : 'another value';
}

const wordOfType: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  array: 'a list',
  object: 'a table',
};

function rangeOf({ minimum, maximum, setting }: SchemaNode): string {
  const render = renderNumber(setting?.kind);
  const hasTop = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum !== undefined && hasTop) return ` from ${render(minimum)} to ${render(maximum)}`;
  if (minimum !== undefined) return `, at least ${render(minimum)}`;
  return hasTop ? `, at most ${render(maximum)}` : '';
}

/** How a number of this kind is written in TOML, without quotes. */
export function renderNumber(kind: SettingTraits['kind'] | undefined): (value: number) => string {
  if (kind === 'duration') return renderDuration;
  return kind === 'bytes' ? renderByteSize : String;
}

/** What stands there; of a secret, by its schema or its name, only its type. */
export function describeFound(node: SchemaNode, value: unknown, key: string): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  if (typeof value === 'object') return 'a table';
  if (isSecret(node, key)) return typeof value === 'string' ? 'other text' : `a ${typeof value}`;
  return JSON.stringify(typeof value === 'string' ? shorten(maskUrl(value)) : value);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
