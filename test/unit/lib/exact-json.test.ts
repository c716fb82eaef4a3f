import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderSortedJson } from '../../../src/api/sorted-json.ts';
import { parseExactJson } from '../../../src/lib/exact-json.ts';

const digits = fc.stringMatching(/^(0|[1-9]\d{0,25})$/);
const number = fc
  .tuple(fc.constantFrom('', '-'), digits, fc.constantFrom('', '.0', '.50', 'e5', 'E+400', '.1e-7'))
  .map((parts) => parts.join(''));

describe('parseExactJson', () => {
  it('keeps the digits of every number, wherever it stands, and the sorted form of answers does too', () => {
    fc.assert(
      fc.property(number, (text) => {
        const json = `{"a":[${text},{"b":${text}}],"c":${text}}`;
        expect(JSON.stringify(parseExactJson(json))).toBe(json);
        expect(renderSortedJson(parseExactJson(`{"c":${text},"a":[${text},{"b":${text}}]}`))).toBe(json);
      }),
    );
  });

  it('is JSON.parse where nothing is lost', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        expect(parseExactJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
