import { describe, expect, it } from 'vitest';
import { parseMark, planMark, type StoreMark } from '../../../src/storage/store-mark.ts';

const ours: StoreMark = { installationId: 'here', shape: 3, writtenBy: 'abaco 0.3.0' };

describe('the mark of a store', () => {
  it.each([
    ['is written in a new store', undefined, 'write'],
    ['stays where it is our own', ours, 'keep'],
    ['is written where another version of the same shape wrote it', { ...ours, writtenBy: 'abaco 0.3.1' }, 'write'],
    ['is written over an older shape', { ...ours, shape: 2 }, 'write'],
  ] as const)('%s', (_, found, expected) => {
    expect(planMark(found, ours, 'History "h"')).toBe(expected);
  });

  it('refuses the store of another installation, of an older version too', () => {
    expect(() => planMark({ ...ours, installationId: 'elsewhere', shape: 1 }, ours, 'History "h"')).toThrow(
      /^History "h" belongs to installation "elsewhere" \(written by abaco 0\.3\.0\), and this is installation "here": /,
    );
  });

  it('refuses a newer shape', () => {
    expect(() => planMark({ ...ours, shape: 4, writtenBy: 'abaco 0.4.0' }, ours, 'History "h"')).toThrow(
      /^History "h" was written by abaco 0\.4\.0 in shape 4, and abaco 0\.3\.0 knows shapes up to 3: /,
    );
  });

  it.each([null, undefined, 'text', {}, { ...ours, shape: '3' }])('refuses %j, which is none', (value) => {
    expect(() => parseMark(value, 'History "h"')).toThrow(/History "h" holds a mark that none of our versions wrote/);
  });
});
