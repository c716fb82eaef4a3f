import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptKey, parseAttemptKey } from '../../../src/launcher/attempt-key.ts';

describe('the name of an attempt', () => {
  it('is read back from what was written', () => {
    const executionId = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/);
    fc.assert(
      fc.property(executionId, fc.integer({ min: 1, max: 1_000_000 }), (id, attempt) => {
        expect(parseAttemptKey(attemptKey({ executionId: id, attempt }))).toEqual({ executionId: id, attempt });
      }),
    );
  });

  it.each(['', '..', '../x', 'a/b', 'a\0b', 'a\nb', '-a', '.hidden', 'é', 'x'.repeat(65)])(
    'is refused to the id %j',
    (executionId) => {
      expect(() => attemptKey({ executionId, attempt: 1 })).toThrow('cannot be named');
    },
  );

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('is refused to attempt %d', (attempt) => {
    expect(() => attemptKey({ executionId: 'a', attempt })).toThrow('cannot be named');
  });

  it.each(['', 'a', 'a-', 'a-0', 'a-01', '-1', 'a/b-1', 'a-1.json'])('is not %j', (name) => {
    expect(parseAttemptKey(name)).toBeUndefined();
  });
});
