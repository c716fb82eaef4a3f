/**
 * What can be searched, as the histories keep it, and the question a search asks.
 *
 * An entry is an actor, an execution (from its submission on) or a log, with the attributes a filter may name, spelled as
 * the contract spells them. Times are text of one length, UTC in milliseconds, so that their order is that of text.
 */

export type SearchKind = 'actors' | 'executions' | 'logs';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export type SearchFields = Readonly<Record<string, Json>>;

/** One thing that can be found. The same key with a higher version replaces it; no fields mean that it is no more. */
export interface SearchEntry {
  readonly kind: SearchKind;
  readonly tenant: string;
  readonly actorId: string;
  /** Of the actor or the execution; a log has its execution's. */
  readonly id: string;
  readonly version: number;
  /** Places it among others, the oldest first. */
  readonly time: Date;
  readonly fields: SearchFields | null;
  /** Of an actor: who sees it and what is its. */
  readonly readers?: readonly string[];
  /** After it the entry is not found any more. */
  readonly expiresAt?: Date;
}

/** Scalars, or a list or mapping as a whole. */
export type FilterValue = Json;

/**
 * One condition on the attribute at `path`. Of a list each element counts, also of lists on the way; what is not there
 * is null. `neq`, `nin` and `nlike` hold exactly where their opposites do not.
 */
export type Filter =
  | { readonly path: readonly string[]; readonly op: 'eq' | 'neq'; readonly value: FilterValue }
  | { readonly path: readonly string[]; readonly op: 'in' | 'nin'; readonly values: readonly FilterValue[] }
  /** Numbers with numbers, text with text by its code points. */
  | { readonly path: readonly string[]; readonly op: 'lt' | 'lte' | 'gt' | 'gte'; readonly value: string | number }
  /** Both ends count. */
  | { readonly path: readonly string[]; readonly op: 'between'; readonly range: readonly [Bound, Bound] }
  | { readonly path: readonly string[]; readonly op: 'like' | 'nlike'; readonly pattern: string };

export type Bound = string | number;

/** What a request asks for, before it is known who asks. */
export interface SearchQuery {
  /** All of them hold. */
  readonly filters: readonly Filter[];
  /** They rank: what holds more of them comes first. */
  readonly words: readonly string[];
  /** Words that have to stand beside each other in this order, as `textOf` writes them; empty for none. */
  readonly phrase: string;
  readonly skip: number;
  readonly limit: number;
}

/** Whose and which entries. */
export interface SearchScope {
  readonly tenant: string;
  readonly kind: SearchKind;
  /** Only those of this actor. */
  readonly actorId?: string;
  /** Only this one. */
  readonly id?: string;
  /** Names of which one has to be among the readers of the actor; nothing given sees all of the tenant. */
  readonly readers?: readonly string[];
}

export interface SearchPage {
  /** How many there are, whatever page was asked for. */
  readonly total: number;
  readonly entries: readonly FoundEntry[];
}

export interface FoundEntry {
  readonly actorId: string;
  readonly id: string;
  readonly fields: SearchFields;
}

/** Longer lists and mappings are equal to nothing, and patterns see no more of a text. */
export const mostComparedChars = 1_000;

/** Names on a path; deeper ones cannot be asked for. */
export const deepestPath = 10;
