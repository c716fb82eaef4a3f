import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIdSource, decodeId, encodeId, isId, processNumbers } from '../../../src/lib/ids.ts';

/** Of the contract, §4. */
const vectors: readonly (readonly [bigint, string])[] = [
  [1n, 'Rr'],
  [2n, 'AK'],
  [1_234_567_890n, 'AQgx5MG'],
  [4_294_967_296n, 'wv43JL1'],
  [9_007_199_254_740_992n, 'kzo88j8JWQ7'],
  [9_223_372_036_854_775_807n, 'WPMx0pLjvKrLP'],
  [9_223_372_036_854_775_808n, 'wK0mvzJx1RkJO'],
  [18_446_744_073_709_551_615n, 'xyWxv5zqvkZ6y'],
  [17_543_987_829_781_434_855n, 'NolBaJ5y6714M'],
  [6_612_139_959_163_556_327n, 'yP0PDpZWG38Bg'],
  [9_421_146_227_950_359_017n, '00wLaDX53WBAr'],
];

function sourceAt(processNumber: number, clock: () => number): () => string {
  const source = createIdSource({ processNumber: () => processNumber, clock: { now: () => new Date(clock()) } });
  return () => source.next();
}

describe('ids', () => {
  it.each(vectors)('%s is written %s', (integer, text) => {
    expect(encodeId(integer)).toBe(text);
    expect(decodeId(text)).toBe(integer);
    expect(isId(text)).toBe(true);
  });

  it('of any 64 bits come back as they were', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (integer) => {
        expect(decodeId(encodeId(integer))).toBe(integer);
      }),
    );
  });

  it.each(['jane', 'bad_actor', 'logs', '1', '', 'Rr ', 'Rr\n', '../Rr', 'R\0r', 'Ŕr', 'rR'])('are not %j', (text) => {
    expect(isId(text)).toBe(false);
    // Also when it is asked a second time.
    expect(isId(text)).toBe(false);
  });

  it('are told from any other text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', 'e', 'R', 'r', 'K', 'A', '0', '1') })),
        (text) => {
          const integer = decodeId(text);
          expect(isId(text)).toBe(integer !== undefined && encodeId(integer) === text);
        },
      ),
    );
  });

  it('stay told apart after many were seen', () => {
    const next = sourceAt(1, () => Date.now());
    for (let count = 0; count < 5_000; count += 1) expect(isId(next())).toBe(true);
    expect(isId('jane')).toBe(false);
  });
});

describe('a source of ids', () => {
  it('never makes the same one, however fast it is asked and whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 1, maxLength: 20 }), (steps) => {
        let now = Date.UTC(2026, 0, 1);
        const next = sourceAt(7, () => now);
        const made = steps.flatMap((step) => {
          now += step;
          return Array.from({ length: 50 }, next);
        });
        expect(new Set(made).size).toBe(made.length);
        const integers = made.map((id) => decodeId(id) ?? 0n);
        expect(integers).toEqual(integers.toSorted((a, b) => (a < b ? -1 : 1)));
      }),
    );
  });

  it('borrows from the next millisecond when one is full', () => {
    const next = sourceAt(7, () => Date.UTC(2026, 0, 1));
    const made = Array.from({ length: 10_000 }, next);
    expect(new Set(made).size).toBe(made.length);
  });

  it('makes none that another process makes', () => {
    const clock = (): number => Date.UTC(2026, 0, 1);
    const made = [0, 1, 2, processNumbers - 1].flatMap((number) =>
      Array.from({ length: 100 }, sourceAt(number, clock)),
    );
    expect(new Set(made).size).toBe(400);
  });

  it('makes none without a process number', () => {
    const source = createIdSource({
      processNumber() {
        throw new Error('no lease');
      },
      clock: { now: () => new Date() },
    });
    expect(() => source.next()).toThrow('no lease');
  });
});
