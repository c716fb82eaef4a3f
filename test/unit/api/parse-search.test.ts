import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSearch, parseSearch } from '../../../src/api/parse-search.ts';
import { InvalidError } from '../../../src/errors.ts';
import type { Filter } from '../../../src/history/search.ts';
import { compileFilters } from '../../../src/history/search-filter.ts';

const parse = (query: Record<string, string | string[]>) => parseSearch(query, { tenant: 'DEV', known: ['follow'] });

function filterOf(name: string, value: string): Filter {
  const [filter, ...more] = parse({ [name]: value }).filters;
  expect(more).toEqual([]);
  return filter ?? expect.fail('no filter');
}

describe('parseSearch', () => {
  it.each([
    ['true', true],
    ['False', false],
    ['none', null],
    ['null', null],
    [' null ', null],
    [' true ', true],
    ['5', 5],
    ['-2.5e3', -2500],
    ['"5"', '5'],
    ['[1, "a"]', [1, 'a']],
    ['{"a": null}', { a: null }],
    ['[broken', '[broken'],
    ['1e999', '1e999'],
    ['0x10', '0x10'],
    ['2020', 2020],
    ['COMPLETE', 'COMPLETE'],
    ['', ''],
  ])('takes the value %s in the order of the contract', (text, value) => {
    expect(filterOf('status', text)).toEqual({ path: ['status'], op: 'eq', value });
  });

  it('takes a time where the attribute is one, and a number where it is not', () => {
    expect(filterOf('start_time.gt', '2020')).toMatchObject({ value: '2020-01-01T00:00:00.000Z' });
    expect(filterOf('final_state.StartedAt.lt', '2020-05')).toMatchObject({ value: '2020-05-01T00:00:00.000Z' });
    expect(filterOf('create_time.in', '["2020", 3]')).toMatchObject({ values: ['2020-01-01T00:00:00.000Z', 3] });
    expect(filterOf('last_execution_time', 'None')).toMatchObject({ value: null });
    expect(filterOf('runtime.gt', '2020')).toMatchObject({ value: 2020 });
  });

  it.each([
    ['status', ['status'], 'eq'],
    ['status.neq', ['status'], 'neq'],
    ['exitCode', ['exit_code'], 'eq'],
    ['finalState.ExitCode.gte', ['final_state', 'ExitCode'], 'gte'],
    ['like', ['like'], 'eq'],
    ['state.like.eq', ['state', 'like'], 'eq'],
    ['_links', ['_links'], 'eq'],
    ['constructor', ['constructor'], 'eq'],
  ])('reads the name %s', (name, path, op) => {
    expect(filterOf(name, '1')).toMatchObject({ path, op });
  });

  it('knows what is no filter, and counts the first value of what is repeated', () => {
    const query = { search: 'Red fox red', exactsearch: ' A  b', skip: '3', limit: '7', 'x-nonce': 'n', follow: 'x' };
    expect(parse({ ...query, status: ['one', 'two'] })).toEqual({
      filters: [{ path: ['status'], op: 'eq', value: 'one' }],
      words: ['red', 'fox'],
      phrase: ' a b ',
      skip: 3,
      limit: 7,
    });
    expect(parse({})).toEqual({ filters: [], words: [], phrase: '', skip: 0, limit: 100 });
    expect(parse({ limit: '99999' }).limit).toBe(1_000);
  });

  it('takes the id of an actor with and without its tenant, and no other tenant’s', () => {
    expect(filterOf('actor_id', 'DEV_abc')).toMatchObject({ value: 'abc' });
    expect(filterOf('actorId.in', '["DEV_abc", "OPS_abc"]')).toMatchObject({ values: ['abc', 'OPS_abc'] });
  });

  it('says that a listing is searched for any parameter but a nonce and its own', () => {
    expect(isSearch({})).toBe(false);
    expect(isSearch({ 'x-nonce': 'n', follow: 'true' }, ['follow'])).toBe(false);
    expect(isSearch({ 'x-nonce': 'n', pretty: '' })).toBe(true);
  });

  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('status.in', 'a.between', 'x.like', 'b.gt', 'limit', 'skip', 'start_time.lt', '__proto__.eq'),
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.constantFrom('(((', '[[[', "['a'", 'a{99}{99}', '\\p{L}', '(?<=a)b', '\ud800', '\0'),
  );

  it('throws nothing but InvalidError, and what it gives can be asked', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, fc.oneof(value, fc.array(value, { minLength: 1 }))), async (query) => {
        try {
          const { filters } = parse(query);
          const holds = compileFilters(filters, () => undefined);
          expect(await holds({ status: 'x', a: [1, { b: 'c' }] })).toBeTypeOf('boolean');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(InvalidError);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('reads 64 KiB of anything without exploding', () => {
    const long = 64 * 1024;
    for (const text of ['[', '{"a":', "'", '1', '1.', ',', '"\\', '(a', 'a+', '2020-']) {
      for (const op of ['', '.in', '.between', '.like']) {
        expect(() => {
          try {
            parse({ [`start_time${op}`]: text.repeat(long / text.length), [text.repeat(long / text.length)]: '1' });
          } catch (thrown) {
            if (!(thrown instanceof InvalidError)) throw thrown;
          }
        }).not.toThrow();
      }
    }
  });
});
