/** From settings as TOML spells them to `Config` as code does: `max_run_time = "2h"` → `maxRunTimeMs: 7200000`. */

import type { InUnit, SchemaNode } from './setting.ts';

type Camel<Key extends string> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Key;
type EndWith<Key extends string, Unit extends string> = Key extends `${string}${Unit}` ? Key : `${Key}${Unit}`;
type NameOf<Key, Value> = Key extends string
  ? Value extends InUnit<infer Unit, unknown>
    ? EndWith<Camel<Key>, Unit>
    : Camel<Key>
  : never;

/** The type `toConfig` gives for settings of type `Value`. Tables with names of the operator's keep them. */
export type ConfigOf<Value> =
  Value extends InUnit<string, infer Plain>
    ? Plain
    : Value extends readonly (infer Item)[]
      ? readonly ConfigOf<Item>[]
      : Value extends Readonly<Record<string, unknown>>
        ? string extends keyof Value
          ? unknown extends Value[string]
            ? Value
            : { readonly [Key in keyof Value]: ConfigOf<Value[Key]> }
          : { readonly [Key in keyof Value as NameOf<Key, Value[Key]>]: ConfigOf<Value[Key]> }
        : Value;

const unitOf = { duration: 'Ms', bytes: 'Bytes' } as const;

/** Renames keys by the schema; what the schema leaves open (a launcher's options) stays as it is. */
export function toConfig(node: SchemaNode, value: unknown): unknown {
  const item = node.items ?? node.patternProperties?.['^.*$'];
  if (Array.isArray(value)) return value.map((element) => (item ? toConfig(item, element) : element));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const property = node.properties?.[key];
    if (property)
      return [node.additionalProperties === true ? key : camelName(key, property), toConfig(property, inner)];
    return [key, item ? toConfig(item, inner) : inner];
  });
  return Object.fromEntries(entries);
}

function camelName(key: string, node: SchemaNode): string {
  const camel = key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const kind = node.setting?.kind;
  const unit = kind === 'duration' || kind === 'bytes' ? unitOf[kind] : '';
  return camel.endsWith(unit) ? camel : `${camel}${unit}`;
}
