import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderPython, renderPythonOfJson } from '../../../src/executions/python-literal.ts';

/** Reads what `renderPython` writes, so that a property can say it loses nothing. */
function readPython(literal: string): unknown {
  const json = literal.replaceAll(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b(?:True|False|None|inf)\b/g, (text) => {
    if (text === 'inf') return '1e999';
    if (!/^['"]/.test(text)) return { True: 'true', False: 'false', None: 'null' }[text] ?? text;
    return JSON.stringify(readText(text.slice(1, -1)));
  });
  return JSON.parse(json);
}

function readText(source: string): string {
  return source.replaceAll(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gs,
    (_, x, u, long, other: string) => {
      const hex = (x ?? u ?? long) as string | undefined;
      if (hex === undefined) return { n: '\n', r: '\r', t: '\t' }[other] ?? other;
      const code = Number.parseInt(hex, 16);
      return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
    },
  );
}

describe('renderPython', () => {
  it.each([
    [{ a: 1, b: [true, false, null] }, "{'a': 1, 'b': [True, False, None]}"],
    [{}, '{}'],
    [[], '[]'],
    ["it's", '"it\'s"'],
    ['say "it\'s"', "'say \"it\\'s\"'"],
    ['a\\b\n\t\r', "'a\\\\b\\n\\t\\r'"],
    ['\u0000\u007f\u00a0\u00ad', "'\\x00\\x7f\\xa0\\xad'"],
    ['grün 日本 😀', "'grün 日本 😀'"],
    ['\u2028\ufeff', "'\\u2028\\ufeff'"],
    ['\u{e0001}', "'\\U000e0001'"],
    [undefined, 'None'],
  ])('writes %j as repr() does', (value, literal) => {
    expect(renderPython(value)).toBe(literal);
  });

  it('loses nothing of any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }), (value) => {
        expect(readPython(renderPython(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('renderPythonOfJson', () => {
  it.each([
    ['1.0', '1.0'],
    ['1e3', '1000.0'],
    ['1e16', '1e+16'],
    ['123456789012345680.0', '1.2345678901234568e+17'],
    ['0.0001', '0.0001'],
    ['0.00001', '1e-05'],
    ['-0', '0'],
    ['-0.0', '-0.0'],
    ['1e999', 'inf'],
    ['12345678901234567890', '12345678901234567890'],
    ['0.1', '0.1'],
    ['5e-324', '5e-324'],
  ])('writes the number %s as %s', (json, literal) => {
    expect(renderPythonOfJson(json)).toBe(literal);
  });

  it('keeps the order of keys that look like numbers', () => {
    expect(renderPythonOfJson('{"10": 1, "9": 2, "b": 3}')).toBe("{'10': 1, '9': 2, 'b': 3}");
  });
});
