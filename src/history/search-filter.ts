/** What the conditions of a search mean. Both histories agree with this; where they do not, they are wrong. */

import {
  deepestPath,
  type Filter,
  type FilterValue,
  type Json,
  mostComparedChars,
  type SearchFields,
} from './search.ts';
import { compilePattern } from './search-pattern.ts';

export type Matcher = (fields: SearchFields) => Promise<boolean>;

/** What is awaited before each text that a pattern is looked for in: one record may have many. */
export type Patience = () => Promise<void> | undefined;

/** Whether all conditions hold. Patterns are compiled once. */
export function compileFilters(filters: readonly Filter[], patience: Patience): Matcher {
  const conditions = filters.map((filter) => ({ path: filter.path, holds: compileValues(filter, patience) }));
  return async (fields) => {
    for (const { path, holds } of conditions) {
      if (!(await holds(valuesAt(fields, path)))) return false;
    }
    return true;
  };
}

type Condition = (values: readonly Json[]) => boolean | Promise<boolean>;

function compileValues(filter: Filter, patience: Patience): Condition {
  switch (filter.op) {
    case 'eq':
      return (values) => has(values, filter.value);
    case 'neq':
      return (values) => !has(values, filter.value);
    case 'in':
      return (values) => filter.values.some((value) => has(values, value));
    case 'nin':
      return (values) => !filter.values.some((value) => has(values, value));
    case 'like':
    case 'nlike': {
      const matches = compilePattern(filter.pattern);
      const wanted = filter.op === 'like';
      return async (values) => (await isInSome(values, matches, patience)) === wanted;
    }
    case 'between': {
      const [least, most] = filter.range;
      return (values) => values.some((value) => holdsOrder('gte', value, least) && holdsOrder('lte', value, most));
    }
    default: {
      const { op, value: bound } = filter;
      return (values) => values.some((value) => holdsOrder(op, value, bound));
    }
  }
}

async function isInSome(values: readonly Json[], matches: (text: string) => boolean, patience: Patience) {
  for (const value of values) {
    if (typeof value !== 'string') continue;
    const rest = patience();
    if (rest) await rest;
    if (matches(value)) return true;
  }
  return false;
}

/** All values at the path: the value itself, and where it is a list its elements too; through lists on the way. */
export function valuesAt(fields: SearchFields, path: readonly string[]): readonly Json[] {
  let values: readonly Json[] = [fields];
  for (const name of path) {
    values = values.flatMap((value) => [value, ...elementsOf(value)].flatMap((holder) => memberOf(holder, name)));
  }
  return values.flatMap((value) => [value, ...elementsOf(value)]);
}

function elementsOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function memberOf(value: Json, name: string): readonly Json[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return [];
  return [(value as Readonly<Record<string, Json>>)[name] as Json];
}

function has(values: readonly Json[], wanted: FilterValue): boolean {
  if (wanted === null) return values.length === 0 || values.includes(null);
  if (typeof wanted !== 'object') return values.includes(wanted);
  const text = canonicalText(wanted);
  return text !== undefined && values.some((value) => isStructure(value) && canonicalText(value) === text);
}

export function isStructure(value: Json): boolean {
  return typeof value === 'object' && value !== null;
}

type Order = 'lt' | 'lte' | 'gt' | 'gte';

function holdsOrder(op: Order, value: Json, bound: string | number): boolean {
  if (typeof value !== typeof bound) return false;
  const order = typeof value === 'string' ? compareText(value, bound as string) : Number(value) - Number(bound);
  if (op === 'lt') return order < 0;
  if (op === 'lte') return order <= 0;
  return op === 'gt' ? order > 0 : order >= 0;
}

/** By code points, which is the order of UTF-8 that stores compare by. */
export function compareText(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** A list or mapping as one text, whatever the order of its names; nothing when it is longer than is compared. */
export function canonicalText(value: Json, depth = deepestPath): string | undefined {
  if (!isStructure(value)) return JSON.stringify(value);
  if (depth < 0) return undefined;
  const parts: string[] = [];
  let length = 2;
  const entries = Array.isArray(value)
    ? (value as readonly Json[]).map((element) => ['', element] as const)
    : Object.entries(value as Readonly<Record<string, Json>>).sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [name, member] of entries) {
    const text = canonicalText(member, depth - 1);
    if (text === undefined) return undefined;
    const part = Array.isArray(value) ? text : `${JSON.stringify(name)}:${text}`;
    length += part.length + 1;
    if (length > mostComparedChars) return undefined;
    parts.push(part);
  }
  return Array.isArray(value) ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}
