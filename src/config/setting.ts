/**
 * The kinds of settings the schema is made of. Each is a TypeBox schema of the value *as read* (a duration is a number of
 * milliseconds, "none" is null) with a note on how it is written in TOML.
 */

import { type TSchema, Type } from 'typebox';
import type { SettingPath } from './setting-path.ts';

/** How a setting is written, checked and shown; stands in its schema as `setting`. */
export interface SettingTraits {
  readonly kind: 'text' | 'path' | 'flag' | 'choice' | 'integer' | 'duration' | 'bytes';
  /** May be "none", which is null. */
  readonly none: boolean;
  /** Masked when shown: all of it, or the password part of a URL. Never in a message. */
  readonly secret?: 'whole' | 'url';
  /** What a value has to be, in words, where range and choice do not say it. */
  readonly expects?: string;
}

/** The JSON Schema fields that reading, checking and showing settings look at. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly (SchemaNode & { readonly const?: unknown })[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly setting?: SettingTraits;
  /** Of a table whose keys are the operator's own names: what a name has to be. */
  readonly names?: NameRule;
  /** The setting, at a fixed place, whose value stands where this one is left out. */
  readonly otherwise?: SettingPath;
}

export interface NameRule {
  readonly pattern: string;
  readonly expects: string;
}

declare const unit: unique symbol;
/** Marks a value whose name in `Config` ends with its unit. */
export interface InUnit<Unit extends string, Value> {
  readonly [unit]: readonly [Unit, Value];
}

interface Range {
  readonly min: number;
  readonly max?: number;
  readonly default?: number | null;
  readonly otherwise?: SettingPath;
}

interface TextOptions {
  readonly pattern?: string;
  readonly expects?: string;
  readonly secret?: 'whole' | 'url';
  readonly default?: string;
}

export function text(description: string, { secret, expects, ...rest }: TextOptions = {}) {
  const setting: SettingTraits = {
    kind: 'text',
    none: false,
    ...(secret === undefined ? {} : { secret }),
    ...(expects === undefined ? {} : { expects }),
  };
  return Type.String({ description, setting, ...rest });
}

/** A path: `~/` is the home directory, a relative one starts at the file it stands in. */
export function path(description: string, options: { readonly default?: string } = {}) {
  return Type.String({ description, setting: traits('path'), ...options });
}

export function flag(description: string, options: { readonly default?: boolean } = {}) {
  return Type.Boolean({ description, setting: traits('flag'), ...options });
}

export function choice<const Values extends string[]>(
  description: string,
  values: readonly [...Values],
  options: { readonly default?: Values[number]; readonly otherwise?: SettingPath } = {},
) {
  return Type.Enum<Values>(values, { description, setting: traits('choice'), ...options });
}

export function integer(description: string, range: Range) {
  return Type.Integer({ description, setting: traits('integer'), ...limits(range) });
}

export function integerOrNone(description: string, range: Range) {
  return Type.Unsafe<number | null>(numberSchema('integer', true, description, range));
}

/** Milliseconds; the range too. */
export function duration(description: string, range: Range) {
  return Type.Unsafe<InUnit<'Ms', number>>(numberSchema('duration', false, description, range));
}

export function durationOrNone(description: string, range: Range) {
  return Type.Unsafe<InUnit<'Ms', number | null>>(numberSchema('duration', true, description, range));
}

export function bytes(description: string, range: Range) {
  return Type.Unsafe<InUnit<'Bytes', number>>(numberSchema('bytes', false, description, range));
}

export function bytesOrNone(description: string, range: Range) {
  return Type.Unsafe<InUnit<'Bytes', number | null>>(numberSchema('bytes', true, description, range));
}

/** A table with fixed keys. */
export function table<const Settings extends Record<string, TSchema>>(description: string, settings: Settings) {
  return Type.Object(settings, { description, additionalProperties: false });
}

/** A table whose keys are names the operator chooses. */
export function named<Item extends TSchema>(
  description: string,
  item: Item,
  names: NameRule,
  options: { readonly default?: Readonly<Record<string, never>> } = {},
) {
  return Type.Record(Type.String(), item, { description, names, ...options });
}

/** A list of words; one that is given takes the place of the one below it. */
export function words(description: string, of: NameRule, options: { readonly default?: readonly string[] } = {}) {
  return Type.Array(text('One of them.', of), { description, ...options });
}

/** A list of numbers; as `words`. */
export function integers(description: string, range: Range, options: { readonly default?: readonly number[] } = {}) {
  return Type.Array(integer('One of them.', range), { description, ...options });
}

function numberSchema(kind: SettingTraits['kind'], none: boolean, description: string, range: Range): TSchema {
  const type = none ? ['integer', 'null'] : 'integer';
  return { type, description, setting: traits(kind, none), ...limits(range) };
}

function traits(kind: SettingTraits['kind'], none = false): SettingTraits {
  return { kind, none };
}

function limits({ min, max, ...rest }: Range) {
  return { minimum: min, maximum: max ?? Number.MAX_SAFE_INTEGER, ...rest };
}
