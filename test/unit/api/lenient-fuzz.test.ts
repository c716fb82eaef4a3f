/** Whatever is sent: the lenient reader refuses it or reads it, and the reader of tokens says a verdict. */

import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { type TObject, Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { parseForm, parseJson } from '../../../src/api/request-body.ts';
import { readFields } from '../../../src/api/request-fields.ts';
import { readJwt } from '../../../src/auth/jwt.ts';
import { InvalidError } from '../../../src/errors.ts';
import { makeTestKey } from '../../support/tokens.ts';

const schema: TObject = Type.Object({
  text: Type.Optional(Type.String()),
  number: Type.Integer(),
  flag: Type.Optional(Type.Boolean()),
  words: Type.Optional(Type.Array(Type.String())),
  mapping: Type.Optional(Type.Object({})),
});
const options = { what: 'Invalid thing', code: 'request.invalid', spelling: 'snake' } as const;
const names = fc.oneof(fc.constantFrom(...Object.keys(schema.properties), '__proto__', 'constructor'), fc.string());
const texts = fc.string({ unit: 'binary' });
const places = fc.dictionary(names, fc.array(texts, { maxLength: 3 })).map((given) => new Map(Object.entries(given)));
const key = createPublicKey(makeTestKey().publicPem);
const rules = { now: new Date(), millisecondExpiry: true };

/** Nothing but a refusal may come out beside a value. */
async function refusesOrReads(read: () => unknown): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (thrown) {
    if (thrown instanceof InvalidError) return true;
    throw thrown;
  }
}

describe('the lenient reader', () => {
  it('reads or refuses any fields from any place', async () => {
    const json = fc.dictionary(names, fc.oneof(fc.jsonValue(), fc.constant(undefined)));
    await fc.assert(
      fc.asyncProperty(places, places, json, async (query, form, body) => {
        expect(await refusesOrReads(() => readFields(schema, { query, form, json: body }, options))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('reads or refuses any body as JSON and as either kind of form', async () => {
    const types = fc.constantFrom(
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=b',
      'multipart/form-data',
    );
    const body = fc.oneof(
      texts,
      texts.map((text) => `--b\r\nContent-Disposition: form-data; name="number"\r\n\r\n${text}\r\n--b--`),
    );
    await fc.assert(
      fc.asyncProperty(types, body, async (type, text) => {
        expect(await refusesOrReads(() => parseJson(text, 'It'))).toBe(true);
        expect(await refusesOrReads(() => parseForm(Buffer.from(text), type, 'It'))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  // Anything that grew faster than its input would not come to an end within the time limit of a test.
  it.each([
    ['digits', `${'1'.repeat(1_000_000)}x`],
    ['blanks', `${' '.repeat(1_000_000)}x`],
    ['blanks around a sign', `${' '.repeat(500_000)}+${' '.repeat(500_000)}`],
  ])('comes to an end of a number of a million %s', async (_what, text) => {
    const fields = { query: new Map([['number', [text]]]), form: new Map<string, string[]>(), json: {} };
    expect(await refusesOrReads(() => readFields(schema, fields, options))).toBe(true);
  });

  it('comes to an end of a million levels of JSON, and of as many fields of a form', async () => {
    expect(await refusesOrReads(() => parseJson('['.repeat(1_000_000), 'It'))).toBe(true);
    expect(await refusesOrReads(() => parseJson(`${'['.repeat(5_000)}${']'.repeat(5_000)}`, 'It'))).toBe(true);
    const form = Buffer.from('a=1&'.repeat(250_000));
    expect(await refusesOrReads(() => parseForm(form, 'application/x-www-form-urlencoded', 'It'))).toBe(true);
  });
});

describe('the reader of tokens', () => {
  const part = fc.oneof(
    fc.base64String(),
    fc.json().map((json) => Buffer.from(json).toString('base64url')),
    texts,
  );

  it('says a verdict of any text, and lets nothing in that was not signed', () => {
    const tokens = fc.oneof(
      texts,
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(tokens, (token) => {
        expect(readJwt(token, key, rules)).toHaveProperty('refusal');
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['dots', '.'.repeat(65_000)],
    ['paddings', `a.b.${'='.repeat(65_000)}`],
    ['letters', 'a'.repeat(65_000)],
    ['letters and dots', 'a.'.repeat(32_000)],
    ['megabytes', 'a.b.c'.repeat(1_000_000)],
  ])('comes to an end of %s', (_what, token) => {
    expect(readJwt(token, key, rules)).toHaveProperty('refusal');
  });
});
