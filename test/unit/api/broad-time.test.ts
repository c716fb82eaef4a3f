import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBroadTime } from '../../../src/api/broad-time.ts';

describe('parseBroadTime', () => {
  it.each([
    ['2020', '2020-01-01T00:00:00.000Z'],
    ['2020-05', '2020-05-01T00:00:00.000Z'],
    ['2020-05-02', '2020-05-02T00:00:00.000Z'],
    ['2020-05-01T14', '2020-05-01T14:00:00.000Z'],
    ['2020-05-01T14:45', '2020-05-01T14:45:00.000Z'],
    ['2020-05-01 14:45:41', '2020-05-01T14:45:41.000Z'],
    ['2020-05-01T14:45:41.591Z', '2020-05-01T14:45:41.591Z'],
    ['2020-05-01T14:45:41.5', '2020-05-01T14:45:41.500Z'],
    ['2020-05-01T14:45:41.591999', '2020-05-01T14:45:41.591Z'],
    ['2000-05:00', '2000-01-01T05:00:00.000Z'],
    ['2020-05+02:30', '2020-04-30T21:30:00.000Z'],
    ['2020-05-01T14z', '2020-05-01T14:00:00.000Z'],
  ])('reads %s as %s', (text, time) => {
    expect(parseBroadTime(text)?.toISOString()).toBe(time);
  });

  it.each([
    '',
    '20',
    '2020-13',
    '2021-02-29',
    '2020-05-01T24',
    '2020-05-01T14:60',
    '2020-05-01+99:00',
    '0000+01:00',
    'now',
  ])('finds no time in "%s"', (text) => {
    expect(parseBroadTime(text)).toBeUndefined();
  });

  it('reads back every time as it is shown', () => {
    const time = fc.date({
      min: new Date('0000-01-01T00:00:00.000Z'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(time, (at) => {
        expect(parseBroadTime(at.toISOString())).toEqual(at);
      }),
    );
  });
});
