/**
 * The one lenient reader of parameters (contract §3): names in either letter case, values from the query, from a form or
 * from JSON, numbers and booleans also as text, what is unknown is passed over.
 */

import type { Static, TObject, TSchema } from 'typebox';
import { type ErrorCode, InvalidError } from '../errors.ts';
import { renderPython } from '../executions/python-literal.ts';
import { camelName, type Spelling } from './wire.ts';

/** What a request gives: each place it may come from, those that win first. */
export interface Fields {
  readonly query: ReadonlyMap<string, readonly string[]>;
  readonly form: ReadonlyMap<string, readonly string[]>;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface ReadOptions {
  /** First words of the message when something is wrong: "Invalid actor description". */
  readonly what: string;
  readonly code: ErrorCode;
  /** How a wrong field is named in the message. */
  readonly spelling: Spelling;
}

/** All values given under a name. A list in JSON counts as its elements; null counts as not given. */
export function valuesOf(fields: Fields, name: string): readonly unknown[] {
  const names = [name, camelName(name)];
  for (const source of [fields.query, fields.form]) {
    const found = names.map((spelled) => source.get(spelled)).find((values) => values !== undefined);
    if (found) return found;
  }
  const value = names.map((spelled) => own(fields.json, spelled)).find((found) => found !== undefined);
  return (Array.isArray(value) ? value : [value]).filter((element) => element !== undefined && element !== null);
}

/** What is not named by the request, in either letter case, as it is said beside. What it names as null is not kept. */
export function keepLeftOut(fields: Fields, beside: Readonly<Record<string, unknown>>): Fields {
  const isNamed = (name: string): boolean =>
    fields.query.has(name) || fields.form.has(name) || Object.hasOwn(fields.json, name);
  const kept = Object.entries(beside).filter(([name]) => !isNamed(name) && !isNamed(camelName(name)));
  return { ...fields, json: { ...fields.json, ...Object.fromEntries(kept) } };
}

/**
 * Reads the fields a schema describes. What is not given takes the schema's default.
 *
 * Throws `InvalidError` that names every field that is missing (with its description) or wrong, as a Python mapping.
 */
export function readFields<Schema extends TObject>(
  schema: Schema,
  fields: Fields,
  options: ReadOptions,
): Static<Schema> {
  const problems: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  const required = new Set<string>(schema.required ?? []);
  for (const [name, node] of Object.entries(schema.properties as Record<string, FieldNode>)) {
    const shown = options.spelling === 'camel' ? camelName(name) : name;
    const given = valuesOf(fields, name);
    const read = given.length === 0 ? undefined : readValue(kindOf(node), given);
    if (read && 'problem' in read) problems[shown] = read.problem;
    else if (!read && required.has(name)) problems[shown] = node.description ?? 'required';
    else values[name] = read ? read.value : structuredClone(node.default);
  }
  if (Object.keys(problems).length > 0)
    throw new InvalidError(options.code, `${options.what}: ${renderPython(problems)}`);
  return values as Static<Schema>;
}

type FieldNode = TSchema & {
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly description?: string;
};

type Reading = { readonly value: unknown } | { readonly problem: string };

function kindOf({ type }: FieldNode): string {
  const kinds = typeof type === 'string' ? [type] : (type ?? []);
  return kinds.find((kind) => kind !== 'null') ?? 'string';
}

function readValue(kind: string, given: readonly unknown[]): Reading {
  const [first] = given;
  if (kind === 'array') return { value: given.map(renderText) };
  if (kind === 'integer') return readInteger(first);
  if (kind === 'boolean') return readBoolean(first);
  if (kind === 'object') return readMapping(first);
  return { value: renderText(first) };
}

/** Python's `str()`, which is what a number or a mapping becomes where text is wanted. */
export function renderText(value: unknown): string {
  return typeof value === 'string' ? value : renderPython(value);
}

function readInteger(value: unknown): Reading {
  const number =
    typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? Math.trunc(value) : integerOf(value);
  if (Number.isSafeInteger(number)) return { value: number };
  return { problem: `must be a whole number, not ${shorten(value)}` };
}

function integerOf(value: unknown): number {
  return typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : Number.NaN;
}

function readBoolean(value: unknown): Reading {
  const text = renderText(value).toLowerCase();
  if (text === 'true' || text === '1') return { value: true };
  if (text === 'false' || text === '0') return { value: false };
  return { problem: `must be true or false, not ${shorten(value)}` };
}

function readMapping(value: unknown): Reading {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { value };
  return { problem: `must be a JSON object, not ${shorten(value)}` };
}

function shorten(value: unknown): string {
  const text = renderPython(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Python's idea of a value that counts as true. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
