import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { type Fields, isTruthy, readFields, renderText, valuesOf } from '../../../src/api/request-fields.ts';
import { InvalidError } from '../../../src/errors.ts';

const schema = Type.Object({
  image: Type.String({ description: 'Reference to image.' }),
  max_workers: Type.Optional(Type.Unsafe<number | null>({ type: ['integer', 'null'], default: null })),
  stateless: Type.Optional(Type.Boolean({ default: true })),
  hints: Type.Optional(Type.Array(Type.String(), { default: [] })),
  default_environment: Type.Optional(Type.Unsafe<object>({ type: 'object', default: {} })),
});

function fields(json: Fields['json'], query: Readonly<Record<string, string>> = {}): Fields {
  const lists = Object.entries(query).map(([name, value]): [string, string[]] => [name, [value]]);
  return { json, query: new Map(lists), form: new Map() };
}

function read(json: Fields['json'], spelling: 'snake' | 'camel' = 'snake'): ReturnType<typeof readFields> {
  return readFields(schema, fields(json), { what: 'Invalid thing', code: 'request.invalid', spelling });
}

describe('readFields', () => {
  it('gives defaults for what is missing or null', () => {
    const expected = { image: 'x', max_workers: null, stateless: true, hints: [], default_environment: {} };
    expect(read({ image: 'x' })).toEqual(expected);
    expect(read({ image: 'x', max_workers: null, stateless: null, hints: null })).toEqual(expected);
  });

  it('gives each reader defaults of its own', () => {
    expect(read({ image: 'x' })).not.toBe(read({ image: 'x' }));
    (read({ image: 'x' }) as { hints: string[] }).hints.push('kept?');
    expect(read({ image: 'x' })).toMatchObject({ hints: [] });
  });

  it.each([
    ['5', 5],
    [' 5 ', 5],
    [5.9, 5],
    [true, 1],
    ['-1', -1],
  ])('reads %j as the whole number %i', (given, expected) => {
    expect(read({ image: 'x', max_workers: given })).toMatchObject({ max_workers: expected });
  });

  it.each([
    [true, true],
    ['TRUE', true],
    ['1', true],
    [1, true],
    [false, false],
    ['False', false],
    [0, false],
  ])('reads %j as %j', (given, expected) => {
    expect(read({ image: 'x', stateless: given })).toMatchObject({ stateless: expected });
  });

  it.each([
    { max_workers: 'five' },
    { max_workers: '5.5' },
    { max_workers: '1e3' },
    { max_workers: 1e300 },
    { stateless: 'yes' },
    { stateless: '' },
    { default_environment: 'A=B' },
    { default_environment: 5 },
  ])('refuses %j and names the field', (wrong) => {
    expect(() => read({ image: 'x', ...wrong })).toThrow(InvalidError);
    expect(() => read({ image: 'x', ...wrong })).toThrow(`'${Object.keys(wrong)[0]}'`);
  });

  it('names a missing field with its description as a Python mapping, all at once, in the case of the server', () => {
    expect(() => read({})).toThrow("Invalid thing: {'image': 'Reference to image.'}");
    expect(() => read({ maxWorkers: 'x' }, 'camel')).toThrow(
      "Invalid thing: {'image': 'Reference to image.', 'maxWorkers': \"must be a whole number, not 'x'\"}",
    );
  });

  it('counts null as missing for a required field', () => {
    expect(() => read({ image: null })).toThrow("'image'");
  });

  it('takes the first of a list for a scalar, and all of it where a list is wanted', () => {
    expect(read({ image: ['a', 'b'], hints: 'one' })).toMatchObject({ image: 'a', hints: ['one'] });
  });

  it('shortens what it shows of a wrong value', () => {
    expect(() => read({ image: 'x', max_workers: 'y'.repeat(500) })).toThrow(/'y{79}…/);
  });
});

describe('valuesOf', () => {
  it('lets the query win over JSON, and reads either letter case', () => {
    expect(valuesOf(fields({ max_workers: 1 }, { maxWorkers: '2' }), 'max_workers')).toEqual(['2']);
    expect(valuesOf(fields({ maxWorkers: 3 }), 'max_workers')).toEqual([3]);
  });

  it('sees no inherited names', () => {
    expect(valuesOf(fields({}), 'constructor')).toEqual([]);
  });
});

describe('isTruthy', () => {
  it('is what Python calls true', () => {
    expect([0, '', null, undefined, false, [], {}].some(isTruthy)).toBe(false);
    expect([1, 'false', true, [0], { a: 0 }].every(isTruthy)).toBe(true);
  });
});

describe('renderText', () => {
  it('is what str() makes of a value', () => {
    expect([renderText('a'), renderText(1), renderText(true), renderText({ a: 'b' })]).toEqual([
      'a',
      '1',
      'True',
      "{'a': 'b'}",
    ]);
  });
});
