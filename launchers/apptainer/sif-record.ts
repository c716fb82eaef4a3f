/** What is written beside a SIF, by its builder, when it was whole. */

import Type from 'typebox';
import { Value } from 'typebox/value';

const shape = Type.Object({
  digest: Type.String(),
  /** As it was asked for first. */
  name: Type.String(),
  sha256: Type.String(),
  bytes: Type.Optional(Type.Number()),
  builtAt: Type.String(),
});

export type SifRecord = Readonly<Type.Static<typeof shape>>;

/** @returns nothing for what a full disk or a crash has left of one: such an image is built again. */
export function parseRecord(text: string): SifRecord | undefined {
  try {
    const record: unknown = JSON.parse(text);
    return Value.Check(shape, record) ? record : undefined;
  } catch {
    return undefined;
  }
}
