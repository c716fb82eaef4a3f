import * as fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { keyLines } from '../../../src/config/key-lines.ts';
import { renderKey, renderPath, type SettingPath } from '../../../src/config/setting-path.ts';

describe('keyLines', () => {
  it('finds keys in every form TOML has', () => {
    const toml = [
      '# a = 1', //                                    1
      'top = "a [not.a.table]" # b = 2', //            2
      'dotted."quo.ted".\'lit\' = 1', //               3
      '[table] # comment', //                          4
      'text = """', //                                 5
      'fake = 1', //                                   6
      'quotes "" and \\""" still""""', //              7
      'after = 1', //                                  8
      "raw = '''", //                                  9
      "fake2 = 2 ''' # end", //                       10
      'list = [ # [x]', //                            11
      '  "a, ]", # "b"', //                           12
      '  { inner = 1, deep.er = [2] },', //           13
      ']', //                                         14
      '[ table . "sub table" ]', //                   15
      'date = 1979-05-27 07:32:00', //                16
      '[[many]]', //                                  17
      'x = 1', //                                     18
      '[many.part]', //                               19
      'y = 1', //                                     20
      '[[many]]', //                                  21
      'x = 2', //                                     22
      '[[many.inner]]', //                            23
      'z = 3', //                                     24
    ].join('\r\n');
    parse(toml);
    expect(Object.fromEntries(keyLines(toml))).toEqual({
      top: 2,
      dotted: 3,
      "dotted.'quo.ted'": 3,
      "dotted.'quo.ted'.lit": 3,
      table: 4,
      'table.text': 5,
      'table.after': 8,
      'table.raw': 9,
      'table.list': 11,
      'table.list[0]': 12,
      'table.list[1]': 13,
      'table.list[1].inner': 13,
      'table.list[1].deep': 13,
      'table.list[1].deep.er': 13,
      'table.list[1].deep.er[0]': 13,
      "table.'sub table'": 15,
      "table.'sub table'.date": 16,
      many: 17,
      'many[0]': 17,
      'many[0].x': 18,
      'many[0].part': 19,
      'many[0].part.y': 20,
      'many[1]': 21,
      'many[1].x': 22,
      'many[1].inner': 23,
      'many[1].inner[0]': 23,
      'many[1].inner[0].z': 24,
    });
  });

  it('finds every setting of any document on the line that holds its value', () => {
    fc.assert(
      fc.property(documents, (toml) => {
        const lines = toml.split('\n');
        const found = keyLines(toml);
        for (const { path, value } of leaves(parse(toml), [])) {
          const line = found.get(renderPath(path));
          expect(lines[(line ?? 0) - 1], `${renderPath(path)} in\n${toml}`).toContain(value);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Values are `§n§`, each once in a document, at the start of the line where their key or element starts. */
const documents = fc
  .record({
    tables: fc.array(
      fc.record({
        kind: fc.constantFrom('table', 'element'),
        key: fc.string({ minLength: 1, maxLength: 6 }),
        blank: fc.constantFrom('', '\n', '# [comment]\n', '  \t\n\n'),
        settings: fc.array(fc.record({ form: fc.nat(7), key: fc.string({ unit: 'grapheme', maxLength: 6 }) }), {
          maxLength: 5,
        }),
      }),
      { maxLength: 5 },
    ),
  })
  .map(({ tables }) => {
    let count = 0;
    const next = () => `§${count++}§`;
    const setting = ({ form, key }: { form: number; key: string }, index: number): string =>
      (forms[form] as (key: string, next: () => string) => string)(renderKey(`${index}${key}`), next);
    return tables
      .map(({ kind, key, blank, settings }, index) => {
        const name = kind === 'element' ? 'elements' : renderKey(`${index}${key}`);
        const header = kind === 'element' ? `[[ ${name} ]]` : `[${name}] # ]`;
        return [blank + header, ...settings.map(setting)].join('\n');
      })
      .join('\n');
  });

const forms: readonly ((key: string, next: () => string) => string)[] = [
  (key, next) => `${key} = "${next()}" # "comment"`,
  (key, next) => `${key}.'a.b'."c\\u0022" = '${next()}'`,
  (key, next) => `${key} = """${next()}\nfake = 1\n[fake]\n"" \\""" '''"""`,
  (key, next) => `${key} = '''${next()}\n[[fake]]\n"""'''''`,
  (key, next) => `${key} = [ # [\n "${next()}", # ]\n\n '${next()}'\n]`,
  (key, next) => `\t${key} = { a = "${next()}", b.c = ['${next()}', { d = "${next()} }" }] }`,
  (key, next) => `${key} = [["${next()}"],\n ["${next()}", """${next()}\n]"""]]`,
  (key, next) => `${key}.x = 1979-05-27T07:32:00Z\n${key}.y = -1.5e3 #\n${key}.z = "${next()}"`,
];

function leaves(value: unknown, path: SettingPath): readonly { path: SettingPath; value: string }[] {
  if (typeof value === 'string') return [{ path, value: value.split('§').slice(0, 2).join('§') + '§' }];
  if (Array.isArray(value)) return value.flatMap((element, index) => leaves(element, [...path, index]));
  if (typeof value !== 'object' || value === null || value instanceof Date) return [];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]));
}
