/** What every history promises of a search, called by `describeHistory`; the last word has `compileFilters`. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { History } from '../../src/history/history.ts';
import type { NewestQuery } from '../../src/history/newest.ts';
import type { Filter, Json, SearchEntry, SearchFields, SearchQuery, SearchScope } from '../../src/history/search.ts';
import { cleanFields } from '../../src/history/search-entry.ts';
import { compileFilters } from '../../src/history/search-filter.ts';
import { phraseOf, scoreOf, textOf } from '../../src/history/search-text.ts';

const tenant = 'tacc';
const everything: SearchQuery = { filters: [], words: [], phrase: '', skip: 0, limit: 100 };
const inTenant: SearchScope = { tenant, kind: 'executions' };

function anEntry(id: string, fields: SearchFields | null, rest: Partial<SearchEntry> = {}): SearchEntry {
  return { kind: 'executions', tenant, actorId: 'A', id, version: 1, time: new Date(0), fields, ...rest };
}

/** @param store gives the history of the running test. */
export function describeSearch(store: () => History, open: (now: () => Date) => Promise<History>): void {
  describeNewest(store);

  const keep = (...search: SearchEntry[]) => store().write({ executions: [], registry: [], search });
  async function ids(query: Partial<SearchQuery> = {}, scope: Partial<SearchScope> = {}): Promise<string[]> {
    const { entries } = await store().search({ ...inTenant, ...scope }, { ...everything, ...query });
    return entries.map(({ id }) => id);
  }

  describe('search', () => {
    it('finds what was written, the oldest first, then by id', async () => {
      await keep(anEntry('b', {}), anEntry('c', {}, { time: new Date(1) }), anEntry('a', { status: 'COMPLETE' }));
      expect(await store().search(inTenant, everything)).toStrictEqual({
        total: 3,
        entries: [
          { actorId: 'A', id: 'a', fields: { status: 'COMPLETE' } },
          { actorId: 'A', id: 'b', fields: {} },
          { actorId: 'A', id: 'c', fields: {} },
        ],
      });
    });

    it('counts all and gives the page that is asked for', async () => {
      await keep(...['a', 'b', 'c', 'd'].map((id) => anEntry(id, { n: 1 })));
      const filters: Filter[] = [{ path: ['n'], op: 'gte', value: 1 }];
      for (const asked of [{ filters }, {}]) {
        const page = await store().search(inTenant, { ...everything, ...asked, skip: 1, limit: 2 });
        expect(page.total).toBe(4);
        expect(page.entries.map(({ id }) => id)).toEqual(['b', 'c']);
        expect((await store().search(inTenant, { ...everything, ...asked, limit: 0 })).entries).toEqual([]);
      }
    });

    it('takes the higher version, whichever is written first, and a repeat changes nothing', async () => {
      await keep(anEntry('a', { status: 'RUNNING' }, { version: 2 }));
      await keep(anEntry('a', { status: 'SUBMITTED' }, { version: 1 }));
      await keep(anEntry('a', { status: 'ELSE' }, { version: 2 }));
      const running: Filter = { path: ['status'], op: 'eq', value: 'RUNNING' };
      expect(await ids({ filters: [running] })).toEqual(['a']);
      await keep(anEntry('a', { status: 'COMPLETE' }, { version: 3 }));
      expect(await ids({ filters: [running] })).toEqual([]);
      expect(await ids({ phrase: phraseOf('running') })).toEqual([]);
      expect(await ids({ phrase: phraseOf('complete') })).toEqual(['a']);
    });

    it('does not find what is no more, also when older news comes late', async () => {
      await keep(anEntry('a', { x: 1 }), anEntry('b', { x: 1 }));
      await keep(anEntry('a', null, { version: 3 }));
      await keep(anEntry('a', { x: 1 }, { version: 2 }));
      expect(await ids()).toEqual(['b']);
    });

    it('stays in its tenant and its kind', async () => {
      await keep(anEntry('a', {}), anEntry('b', {}, { tenant: 'else' }), anEntry('c', {}, { kind: 'logs' }));
      expect(await ids()).toEqual(['a']);
      expect(await ids({}, { tenant: 'else' })).toEqual(['b']);
    });

    it('shows what is of actors the reader may read, and of nobody else', async () => {
      const actor = (id: string, readers: string[], version = 1) =>
        anEntry(id, { id }, { kind: 'actors', actorId: id, readers, version });
      await keep(actor('A', ['jane']), actor('B', ['joe', 'ABACO_WORLD']), actor('C', ['joe']));
      await keep(anEntry('a', {}), anEntry('b', {}, { actorId: 'B' }), anEntry('c', {}, { actorId: 'C' }));
      await keep(anEntry('d', {}, { actorId: 'D' }));
      const readers = ['jane', 'ABACO_WORLD'];
      expect(await ids({}, { readers })).toEqual(['a', 'b']);
      expect(await ids({}, { readers, kind: 'actors' })).toEqual(['A', 'B']);
      expect(await ids({}, { readers, actorId: 'C' })).toEqual([]);
      expect(await ids()).toEqual(['a', 'b', 'c', 'd']);
      await keep(actor('A', ['joe'], 2), anEntry('B', null, { kind: 'actors', actorId: 'B', version: 2 }));
      expect(await ids({}, { readers })).toEqual([]);
    });

    it('stays with one actor, or one execution', async () => {
      await keep(anEntry('a', {}), anEntry('b', {}), anEntry('c', {}, { actorId: 'B' }));
      expect(await ids({}, { actorId: 'A' })).toEqual(['a', 'b']);
      expect(await ids({}, { actorId: 'A', id: 'b' })).toEqual(['b']);
    });

    it('finds a phrase whatever its case and what stands between its words', async () => {
      await keep(anEntry('a', { logs: 'It said: Hello,\nWORLD 3.' }), anEntry('b', { logs: 'world hello' }));
      expect(await ids({ phrase: phraseOf('hello world') })).toEqual(['a']);
      expect(await ids({ phrase: phraseOf('world 3') })).toEqual(['a']);
      expect(await ids({ phrase: phraseOf('ello') })).toEqual([]);
    });

    it('ranks by words and leaves nothing out for them', async () => {
      await keep(
        anEntry('a', { logs: 'none' }),
        anEntry('b', { logs: 'red' }),
        anEntry('c', { logs: 'red green red' }),
      );
      expect(await ids({ words: ['red', 'green'] })).toEqual(['c', 'b', 'a']);
      expect(await ids({ words: ['red', 'green'], skip: 1, limit: 1 })).toEqual(['b']);
      const like: Filter = { path: ['logs'], op: 'like', pattern: 'r|n' };
      expect(await ids({ words: ['red', 'green'], filters: [like], skip: 1, limit: 1 })).toEqual(['b']);
    });

    it('does not find what has expired, and forgets it', async () => {
      await keep(anEntry('a', { logs: 'x' }, { kind: 'logs', expiresAt: new Date(1_000) }));
      const scope = { ...inTenant, kind: 'logs' } as const;
      const before = await open(() => new Date(999));
      const after = await open(() => new Date(1_000));
      expect((await before.search(scope, everything)).total).toBe(1);
      expect((await after.search(scope, everything)).total).toBe(0);
      await after.expireLogs(new Date(1_000), 10);
      expect((await before.search(scope, everything)).total).toBe(0);
    });

    it('does not find logs of an actor that was deleted, and finds its executions', async () => {
      await keep(
        anEntry('a', { logs: 'x' }, { kind: 'logs', expiresAt: new Date(9_000) }),
        anEntry('b', { logs: 'x' }, { kind: 'logs' }),
        anEntry('a', { status: 'x' }),
      );
      const timed = await open(() => new Date(1_000));
      expect((await timed.search({ ...inTenant, kind: 'logs' }, everything)).total).toBe(2);
      await timed.expireLogsOf(tenant, 'A', new Date(1_000));
      expect((await timed.search({ ...inTenant, kind: 'logs' }, everything)).total).toBe(0);
      expect((await timed.search(inTenant, everything)).total).toBe(1);
    });

    it('matches patterns that would explode elsewhere', async () => {
      await keep(anEntry('a', { name: `${'a'.repeat(900)}!` }));
      expect(await ids({ filters: [{ path: ['name'], op: 'like', pattern: '^(a+)+$' }] })).toEqual([]);
      expect(await ids({ filters: [{ path: ['name'], op: 'nlike', pattern: '^(a|a)*$' }] })).toEqual(['a']);
    });

    it('agrees with the conditions as they are written down, for any records and any question', async () => {
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(anyFields, { maxLength: 6 }), anyQuery, async (records, query) => {
          round += 1;
          const own = `t${round}`;
          await keep(...records.map((fields, index) => anEntry(`${round}-${index}`, fields, { tenant: own })));
          const page = await store().search({ ...inTenant, tenant: own }, query);
          const expected = (await naively(records, query)).map((index) => `${round}-${index}`);
          expect(page.total).toBe(expected.length);
          expect(page.entries.map(({ id }) => id)).toEqual(expected.slice(query.skip, query.skip + query.limit));
        }),
        { numRuns: 150 },
      );
    });
  });
}

async function naively(records: readonly SearchFields[], query: SearchQuery): Promise<readonly number[]> {
  const { filters, words, phrase } = query;
  const holding = await Promise.all(records.map(compileFilters(filters, () => undefined)));
  return records
    .map((fields, index) => ({ index, text: textOf(cleanFields(fields)) }))
    .filter(({ index, text }) => holding[index] === true && (phrase === '' || text.includes(phrase)))
    .map(({ index, text }) => ({ index, score: scoreOf(text, words) }))
    .sort((one, other) => other.score - one.score || one.index - other.index)
    .map(({ index }) => index);
}

/** Few names and values, so that conditions meet what they are about. */
const name = fc.constantFrom('a', 'b', 'c', '$d', '__proto__x');
const word = fc.constantFrom(
  'red',
  'Green',
  'blue',
  'é',
  '2026-01-02T03:04:05.678Z',
  '',
  'red green',
  "it's",
  '"',
  'a%_',
);
const scalar = fc.oneof(
  word,
  fc.constantFrom(0, 1, -1, 2.5, 1e300, 9_007_199_254_740_991),
  fc.boolean(),
  fc.constant(null),
);
const anyValue: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const anyFields: fc.Arbitrary<SearchFields> = fc
  .record({ status: fc.option(word), rest: fc.dictionary(name, anyValue, { maxKeys: 4, noNullPrototype: true }) })
  .map(({ status, rest }) => ({ ...rest, status }));

const path = fc.oneof(fc.constant(['status']), fc.array(name, { minLength: 1, maxLength: 3 }));
const bound = fc.oneof(word, fc.constantFrom(0, 1, 2.5));
const anyFilter: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ path, op: fc.constantFrom('eq' as const, 'neq' as const), value: anyValue }),
  fc.record({ path, op: fc.constantFrom('in' as const, 'nin' as const), values: fc.array(anyValue, { maxLength: 3 }) }),
  fc.record({ path, op: fc.constantFrom('lt' as const, 'lte' as const, 'gt' as const, 'gte' as const), value: bound }),
  fc.record({ path, op: fc.constant('between' as const), range: fc.tuple(bound, bound) }),
  fc.record({
    path,
    op: fc.constantFrom('like' as const, 'nlike' as const),
    pattern: fc.constantFrom('e', '^re', 'n$', '(r|g)+', '[^a]', '', '(?i)GREEN'),
  }),
);
const anyQuery: fc.Arbitrary<SearchQuery> = fc.record({
  filters: fc.array(anyFilter, { maxLength: 2 }),
  words: fc.uniqueArray(fc.constantFrom('red', 'green', 'é', '1'), { maxLength: 2 }),
  phrase: fc.constantFrom('', '', ' red ', ' red green ', ' é '),
  skip: fc.constantFrom(0, 0, 1),
  limit: fc.constantFrom(100, 100, 2),
});

function describeNewest(store: () => History): void {
  const at = (ms: number, id: string, actorId: string, status = 'COMPLETE') =>
    anEntry(id, { status }, { actorId, time: new Date(ms) });
  const readable = (actorId: string, ...readers: string[]): SearchEntry =>
    anEntry(actorId, {}, { kind: 'actors', actorId, readers });
  const keep = (...search: SearchEntry[]) => store().write({ executions: [], registry: [], search });
  type Scope = Parameters<History['newest']>[0];
  const ids = async (query: Partial<NewestQuery> = {}, scope: Partial<Scope> = {}): Promise<string[]> =>
    (await store().newest({ tenant, ...scope }, { limit: 10, ...query })).map(({ id }) => id);

  describe('newest', () => {
    it('gives the newest first, then by id, with what was kept of it', async () => {
      await keep(at(1, 'a', 'A'), at(3, 'b', 'B'), at(3, 'c', 'A'), at(2, 'd', 'A'));
      expect(await ids()).toEqual(['c', 'b', 'd', 'a']);
      expect(await store().newest({ tenant }, { limit: 1 })).toStrictEqual([
        { actorId: 'A', id: 'c', time: new Date(3), fields: { status: 'COMPLETE' } },
      ]);
    });

    it('keeps to actor, status, times and tenant, and to executions', async () => {
      await keep(
        at(1, 'a', 'A'),
        at(2, 'b', 'B', 'ERROR'),
        at(3, 'c', 'A', 'ERROR'),
        at(4, 'd', 'A'),
        readable('A', 'x'),
      );
      await keep({ ...at(5, 'e', 'A'), tenant: 'other' });
      expect(await ids({}, { actorId: 'A' })).toEqual(['d', 'c', 'a']);
      expect(await ids({ status: 'ERROR' })).toEqual(['c', 'b']);
      expect(await ids({ status: 'ERROR' }, { actorId: 'A' })).toEqual(['c']);
      expect(await ids({ from: new Date(2), until: new Date(4) })).toEqual(['c', 'b']);
    });

    it('shows what is of actors that the reader may read, and of nobody else', async () => {
      await keep(readable('A', 'alice', 'bob'), readable('B', 'bob'), readable('C', 'carol'));
      await keep(at(1, 'a', 'A'), at(2, 'b', 'B'), at(3, 'c', 'C'), at(4, 'd', 'A', 'ERROR'));
      expect(await ids({}, { readers: ['alice'] })).toEqual(['d', 'a']);
      expect(await ids({}, { readers: ['alice', 'bob'] })).toEqual(['d', 'b', 'a']);
      expect(await ids({ status: 'ERROR' }, { readers: ['bob', 'carol'] })).toEqual(['d']);
      expect(await ids({}, { readers: ['nobody'] })).toEqual([]);
    });

    it('gives every one once, page by page, for any times, whoever asks', async () => {
      const some = fc.array(fc.record({ ms: fc.nat(5), actor: fc.constantFrom('A', 'B', 'C') }), { maxLength: 12 });
      let round = 0;
      await fc.assert(
        fc.asyncProperty(some, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (executions, limit, all) => {
          round += 1;
          const own = `tenant-${round}`;
          const placed = executions.map(({ ms, actor }, index) => ({ ...at(ms, `x${index}`, actor), tenant: own }));
          await keep(...placed, ...['A', 'B'].map((actor) => ({ ...readable(actor, 'alice'), tenant: own })));
          const scope: Scope = { tenant: own, ...(all ? {} : { readers: ['alice'] }) };
          const expected = placed
            .filter(({ actorId }) => all || actorId !== 'C')
            .toSorted((a, b) => b.time.getTime() - a.time.getTime() || (a.id < b.id ? 1 : -1))
            .map(({ id }) => id);
          const found: string[] = [];
          for (let page = await store().newest(scope, { limit }); page.length > 0; ) {
            found.push(...page.map(({ id }) => id));
            const last = page.at(-1);
            page = last ? await store().newest(scope, { limit, after: { time: last.time, id: last.id } }) : [];
          }
          expect(found).toEqual(expected);
        }),
        { numRuns: 25 },
      );
    });
  });
}
