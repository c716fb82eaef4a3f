/** JSON whose numbers keep their digits: a double has no 9223372036854775807, and `1.0` of one is `1`. */

declare global {
  interface JSON {
    /** Written by `JSON.stringify` as this text (ECMAScript proposal "JSON.parse source text access", in Node since 21). */
    rawJSON(text: string): object;
    isRawJSON(value: unknown): boolean;
  }
}

/** As `JSON.parse`, but what a number would lose stands as what `JSON.stringify` writes as it was. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) as unknown;
}

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && JSON.stringify(value) !== source
    ? JSON.rawJSON(source)
    : value;
}
