/**
 * The question in the query parameters of a search (contract §7.13): filters `field=value` and `field.op=value`, words
 * and a phrase, a page. Throws nothing but `InvalidError`, in a time that grows with the length of the query alone.
 */

import { InvalidError } from '../errors.ts';
import { type Bound, deepestPath, type Filter, type FilterValue, type SearchQuery } from '../history/search.ts';
import { cleanFields, cleanText } from '../history/search-entry.ts';
import { compilePattern } from '../history/search-pattern.ts';
import { phraseOf, wordsOf } from '../history/search-text.ts';
import { parseBroadTime } from './broad-time.ts';
import { renderTime } from './wire.ts';

/** As the query of a request is read: a parameter that is repeated has several values, of which the first counts. */
export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface ParseSearchOptions {
  readonly tenant: string;
  /** Parameters of the route that are no filters. */
  readonly known?: readonly string[];
}

const defaultLimit = 100;

/** More are not given at once, whatever is asked for. */
const mostLimit = 1_000;

const mostSkip = 100_000;
const mostFilters = 50;
const mostPatterns = 5;
const mostListed = 1_000;
const mostWords = 20;

const operators = ['eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'in', 'nin', 'like', 'nlike', 'between'] as const;
type Operator = (typeof operators)[number];

/** No filter, and no question either: it is a credential. */
const nonceParameter = 'x-nonce';

/** Whether the parameters make a search of a listing. */
export function isSearch(query: QueryParameters, known: readonly string[] = []): boolean {
  return Object.keys(query).some((name) => name !== nonceParameter && !known.includes(name));
}

export function parseSearch(query: QueryParameters, { tenant, known = [] }: ParseSearchOptions): SearchQuery {
  const apart = new Set([...known, nonceParameter, 'search', 'exactsearch', 'skip', 'limit']);
  const names = Object.keys(query).filter((name) => !apart.has(name));
  if (names.length > mostFilters) throw invalid(`there are more than ${mostFilters} filters`);
  const text = (name: string): string => firstOf(query, name);
  if (names.filter((name) => /\.n?like$/.test(name)).length > mostPatterns) {
    throw invalid(`there are more than ${mostPatterns} regular expressions`);
  }
  return {
    filters: names.map((name) => parseFilter(name, text(name), tenant)),
    words: [...new Set(wordsOf(text('search')))].slice(0, mostWords),
    phrase: phraseOf(text('exactsearch')),
    ...parsePage(query, defaultLimit),
  };
}

/** @param otherwise how many are listed where nothing is said. */
export function parsePage(query: QueryParameters, otherwise: number): Pick<SearchQuery, 'skip' | 'limit'> {
  return {
    skip: parseCount('skip', firstOf(query, 'skip'), 0, mostSkip),
    limit: Math.min(mostLimit, parseCount('limit', firstOf(query, 'limit'), otherwise)),
  };
}

function firstOf(query: QueryParameters, name: string): string {
  const value = Object.hasOwn(query, name) ? query[name] : undefined;
  return (typeof value === 'object' ? value[0] : value) ?? '';
}

function parseCount(name: string, text: string, otherwise: number, most = Number.MAX_SAFE_INTEGER): number {
  if (text === '') return otherwise;
  const count = /^\s*\+?\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  if (count <= most) return count;
  throw invalid(`${name} is ${shorten(text)}; it must be a whole number from 0${most < 1e9 ? ` to ${most}` : ' on'}`);
}

function parseFilter(name: string, text: string, tenant: string): Filter {
  const { path, op } = parseName(name);
  const field: Field = { name, path, isTime: isTimeField(path), ownPrefix: isActorId(path) ? `${tenant}_` : '' };
  switch (op) {
    case 'eq':
    case 'neq':
      return { path, op, value: parseValue(field, text) };
    case 'in':
    case 'nin':
      return { path, op, values: parseList(field, text) };
    case 'like':
    case 'nlike':
      compilePattern(text);
      return { path, op, pattern: text };
    case 'between':
      return { path, op, range: parseRange(field, text) };
    default:
      return { path, op, value: boundOf(field, text) };
  }
}

/** The last part is the operator, where it is one. Only the first part is the contract's own, so only it has a case. */
function parseName(name: string): { readonly path: readonly string[]; readonly op: Operator } {
  const parts = name.split('.').map(cleanText);
  const op = operators.find((operator) => parts.length > 1 && operator === parts.at(-1));
  const path = op === undefined ? parts : parts.slice(0, -1);
  if (path.includes('')) throw invalid(`parameter ${shorten(name)} names no attribute`);
  if (path.length > deepestPath) throw invalid(`parameter ${shorten(name)} has more than ${deepestPath} names`);
  return { path: path.map((part, index) => (index === 0 ? snakeName(part) : part)), op: op ?? 'eq' };
}

function snakeName(name: string): string {
  return name.replaceAll(/(?<=.)[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

interface Field {
  /** As it was asked for. */
  readonly name: string;
  readonly path: readonly string[];
  readonly isTime: boolean;
  /** What the original puts before the id of an actor where it stores it. */
  readonly ownPrefix: string;
}

const timeFields = [
  'start_time',
  'finish_time',
  'message_received_time',
  'last_execution_time',
  'last_update_time',
  'StartedAt',
  'FinishedAt',
  'create_time',
  'last_health_check_time',
];

function isTimeField(path: readonly string[]): boolean {
  return timeFields.some((field) => path.at(-1)?.includes(field));
}

function isActorId(path: readonly string[]): boolean {
  return path.length === 1 && path[0] === 'actor_id';
}

/** In the order of the contract: true and false, none, a time, a number, JSON, text. */
function parseValue(field: Field, text: string): FilterValue {
  const word = text.toLowerCase();
  if (word === 'true') return true;
  if (word === 'false') return false;
  if (word === 'none') return null;
  const time = field.isTime ? parseBroadTime(text) : undefined;
  if (time) return renderTime(time);
  const number = numberOf(text);
  if (number !== undefined) return number;
  const json = jsonOf(text);
  return plainId(field, json === undefined ? cleanText(text) : json);
}

/** Numbers that any client writes; one that is beyond all numbers is text. */
function numberOf(text: string): number | undefined {
  if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** But numbers, which are read before, as any client writes them. */
function jsonOf(text: string): FilterValue | undefined {
  if (!/^\s*(?:["[{]|(?:null|true|false)\s*$)/.test(text)) return undefined;
  try {
    return cleanFields(JSON.parse(text) as FilterValue);
  } catch {
    // Not JSON, or nested deeper than can be read: then it is text.
    return undefined;
  }
}

function plainId({ ownPrefix }: Field, value: FilterValue): FilterValue {
  if (typeof value !== 'string' || ownPrefix === '' || !value.startsWith(ownPrefix)) return value;
  return value.slice(ownPrefix.length);
}

function parseList(field: Field, text: string): readonly FilterValue[] {
  const list = jsonOf(text) ?? jsonOf(text.replaceAll("'", '"'));
  if (!Array.isArray(list)) throw invalid(`${shorten(field.name)} needs a list, as in ["one", "other"]`);
  if (list.length > mostListed) throw invalid(`${shorten(field.name)} lists more than ${mostListed} values`);
  return (list as readonly FilterValue[]).map((value) => {
    const time = field.isTime && typeof value === 'string' ? parseBroadTime(value) : undefined;
    return time ? renderTime(time) : plainId(field, value);
  });
}

function parseRange(field: Field, text: string): readonly [Bound, Bound] {
  const [least, most, ...more] = text.split(',', 3);
  if (least === undefined || most === undefined || more.length > 0) {
    throw invalid(`${shorten(field.name)} needs two values with a comma between them`);
  }
  return [boundOf(field, least), boundOf(field, most)];
}

function boundOf(field: Field, text: string): Bound {
  const value = parseValue(field, text);
  if (typeof value === 'number' || typeof value === 'string') return value;
  throw invalid(`${shorten(field.name)} compares with ${shorten(text)}; it needs a number, a time or a text`);
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function invalid(reason: string): InvalidError {
  return new InvalidError('request.invalid', `Invalid search: ${reason}`);
}
