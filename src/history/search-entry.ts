/** What the histories keep of an entry beside its fields, so that a search need not read them. */

import { deepestPath, type Filter, type Json, type SearchFields } from './search.ts';
import { canonicalText, isStructure } from './search-filter.ts';

/** Attributes with an index of their own; their values are text and never lists. */
export const indexedFields = ['status', 'executor'] as const;

export type IndexedField = (typeof indexedFields)[number];

export function indexedValue(fields: SearchFields, name: IndexedField): string | null {
  const value = fields[name];
  return typeof value === 'string' ? value : null;
}

/** The value an index can find, where the condition is of that kind. */
export function indexedCondition(filter: Filter): { readonly name: IndexedField; readonly value: string } | undefined {
  if (filter.op !== 'eq' || filter.path.length !== 1 || typeof filter.value !== 'string') return undefined;
  const name = indexedFields.find((indexed) => indexed === filter.path[0]);
  return name && { name, value: filter.value };
}

/** One value at one path: a scalar `v`, a null `n`, or the text `j` of a list or mapping (empty when it is too long). */
export type Leaf =
  | { readonly p: string; readonly v: string | number | boolean }
  | { readonly p: string; readonly n: 1 }
  | { readonly p: string; readonly j: string };

/** All values a condition can be about, each once, for stores that cannot walk the fields as `valuesAt` does. */
export function leavesOf(fields: SearchFields): readonly Leaf[] {
  const leaves = new Map<string, Leaf>();
  const visit = (value: Json, path: readonly string[]): void => {
    const elements = Array.isArray(value) ? (value as readonly Json[]) : [];
    for (const one of [value, ...elements]) {
      if (path.length > 0) {
        const leaf = leafOf(path.join('.'), one);
        leaves.set(JSON.stringify(leaf), leaf);
      }
      if (path.length === deepestPath || typeof one !== 'object' || one === null || Array.isArray(one)) continue;
      for (const [name, member] of Object.entries(one)) {
        if (!name.includes('.')) visit(member, [...path, name]);
      }
    }
  };
  visit(fields, []);
  return [...leaves.values()];
}

function leafOf(p: string, value: Json): Leaf {
  if (value === null) return { p, n: 1 };
  if (isStructure(value)) return { p, j: canonicalText(value) ?? '' };
  return { p, v: value as string | number | boolean };
}

/**
 * Text no store stumbles over: without the character zero, without half a character. Names in the order in which answers
 * have them, so that they are not sorted each time they are shown.
 */
export function cleanFields<Value extends Json | SearchFields>(value: Value): Value {
  if (typeof value === 'string') return cleanText(value) as Value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((element: Json) => cleanFields(element)) as unknown as Value;
  const sorted = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const members = sorted.map(([name, member]) => [cleanText(name), cleanFields(member)]);
  return Object.fromEntries(members) as Value;
}

export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}');
}
