import { describe, expect, it } from 'vitest';
import { compileFilters } from '../../../src/history/search-filter.ts';

const pattern = { path: ['texts'], op: 'like', pattern: 'b$' } as const;
const fields = { texts: [...Array.from({ length: 50 }, () => 'a'), 1, null, 'b', 'never looked at'] };

describe('compileFilters', () => {
  it('rests before each text in which a pattern is looked for, and not before others', async () => {
    let rests = 0;
    const patience = async (): Promise<void> => void (rests += 1);
    expect(await compileFilters([pattern], patience)(fields)).toBe(true);
    expect(rests).toBe(51);
    expect(await compileFilters([{ path: ['texts'], op: 'eq', value: 'b' }], patience)(fields)).toBe(true);
    expect(rests).toBe(51);
  });

  it('looks no further once patience is at its end', async () => {
    let rests = 0;
    const holds = compileFilters([pattern], () => {
      rests += 1;
      if (rests === 3) throw new Error('too much to look at');
      return undefined;
    });
    await expect(holds(fields)).rejects.toThrow('too much to look at');
    expect(rests).toBe(3);
  });
});
