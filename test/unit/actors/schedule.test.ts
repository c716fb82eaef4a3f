import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  parseHour,
  parseSchedule,
  planDue,
  planFirst,
  renderHour,
  type Schedule,
} from '../../../src/actors/schedule.ts';

const hourMs = 3_600_000;
const at = (text: string): Date => new Date(`${text}:00:00.000Z`);

describe('parseSchedule', () => {
  it.each([
    ['2027-01-31 06 + 2 days', { start: at('2027-01-31T06'), count: 2, unit: 'day' }],
    ['2027-6-1 5 + 1 hour', { start: at('2027-06-01T05'), count: 1, unit: 'hour' }],
    ['  2027-06-01  05+3   weeks ', { start: at('2027-06-01T05'), count: 3, unit: 'week' }],
    ['now + 1 month', { count: 1, unit: 'month' }],
    ['Now + 10 months', { count: 10, unit: 'month' }],
  ])('reads %j', (text, expected) => {
    expect(parseSchedule(text)).toEqual(expected);
  });

  it.each([
    '',
    'now',
    'now + hour',
    'now + 1hour',
    'now + -1 hours',
    'now + 1.5 hours',
    'now + 0 hours',
    'now + 100001 hours',
    'now + 1 second',
    'now + 30 minutes',
    'now + 1 hourss',
    '* * * * *',
  ])('refuses %j as no schedule', (text) => {
    expect(() => parseSchedule(text)).toThrow('The cron is not in the correct format');
  });

  it.each([
    'NOW + 1 hour',
    '2027-02-29 06 + 1 day',
    '2027-13-01 06 + 1 day',
    '2027-01-01 24 + 1 day',
    '27-1-1 1 + 1 day',
  ])('refuses %j for its start', (text) => {
    expect(() => parseSchedule(text)).toThrow(/^The starting date .* is not in the correct format/);
  });

  it('answers whatever text it is given, at once', () => {
    const text = fc.string({ unit: fc.constantFrom('now', ' + ', '1', '-', ' hours', ' ', '\n', '\0') });
    fc.assert(
      fc.property(text, (given) => {
        let answer: unknown;
        try {
          answer = parseSchedule(given);
        } catch (thrown) {
          answer = thrown;
        }
        expect(answer).toSatisfy(
          (each: { code?: string; count?: number }) => each.code === 'actor.invalid' || !!each.count,
        );
      }),
      { numRuns: 50 },
    );
    expect(() => parseSchedule(`now ${' '.repeat(100_000)}+`)).toThrow('correct format');
  });
});

describe('planFirst', () => {
  const now = new Date('2027-06-01T05:59:59.999Z');

  it('is the start as it was written, or the hour of now without leading zeros', () => {
    expect(planFirst('2027-06-01 06 + 1 hour', now)).toBe('2027-06-01 06');
    expect(planFirst('now + 1 hour', now)).toBe('2027-6-1 5');
  });

  it('may be the hour that has begun, and none before it', () => {
    expect(planFirst('2027-06-01 05 + 1 hour', now)).toBe('2027-06-01 05');
    expect(() => planFirst('2027-06-01 04 + 1 hour', now)).toThrow(
      'The starting datetime is old. The current UTC time is 2027-6-1 5',
    );
  });
});

describe('planDue', () => {
  it.each([
    ['now + 1 month', '2027-01-31T06', '2027-01-31T06', '2027-2-28 6'],
    ['now + 1 month', '2028-01-31T06', '2028-01-31T06', '2028-2-29 6'],
    ['now + 14 months', '2026-12-31T06', '2026-12-31T06', '2028-2-29 6'],
    ['now + 2 weeks', '2027-01-31T06', '2027-01-31T06', '2027-2-14 6'],
    ['now + 5 hours', '2027-01-31T22', '2027-01-31T22', '2027-2-1 3'],
  ])('of %j at its time %s goes on to the one after', (text, next, now, expected) => {
    expect(planDue(parseSchedule(text), at(next), at(now))).toEqual({ due: at(now), next: expected });
  });

  it('makes up for no time that was missed', () => {
    const due = planDue(parseSchedule('now + 2 hours'), at('2027-01-01T10'), at('2027-01-01T15'));
    expect(due).toEqual({ due: at('2027-01-01T14'), next: '2027-1-1 16' });
  });

  it('agrees with counting up hour by hour, at whatever times one looks', () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 40 }),
      unit: fc.constantFrom<Schedule['unit'][]>('hour', 'day', 'week', 'month'),
    });
    const start = fc.integer({
      min: at('2024-01-01T00').getTime() / hourMs,
      max: at('2032-01-01T00').getTime() / hourMs,
    });
    const looks = fc.array(fc.integer({ min: 1, max: 20_000 * 60 }), { maxLength: 12 });
    fc.assert(
      fc.property(step, start, looks, (schedule, startHour, minutes) => {
        let next = new Date(startHour * hourMs);
        let now = next;
        const naive = countUp(schedule, next, minutes);
        const told = minutes.map((pause) => {
          now = new Date(now.getTime() + pause * 60_000);
          const due = planDue(schedule, next, now);
          next = (due && parseHour(due.next)) ?? next;
          return due && renderHour(due.due);
        });
        expect(told).toEqual(naive);
        expect(next.getTime()).toBeGreaterThan(now.getTime() - hourMs);
      }),
    );
  });
});

/** Walks from hour to hour, by the names of hours alone. */
function countUp({ count, unit }: Schedule, start: Date, minutes: readonly number[]): readonly (string | undefined)[] {
  let next = start;
  let now = start.getTime();
  return minutes.map((pause) => {
    now += pause * 60_000;
    let last: string | undefined;
    while (next.getTime() <= now) {
      last = renderHour(next);
      next = after(next, count, unit);
    }
    return last;
  });
}

function after(from: Date, count: number, unit: Schedule['unit']): Date {
  if (unit !== 'month') return new Date(from.getTime() + count * { hour: 1, day: 24, week: 168 }[unit] * hourMs);
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + count];
  // Of the days that month may have, the last that is there.
  const days = [from.getUTCDate(), 31, 30, 29, 28].filter((day) => day <= from.getUTCDate());
  const dates = days.map((day) => new Date(Date.UTC(year, month, day, from.getUTCHours())));
  return (
    dates.find((date) => date.getUTCDate() <= from.getUTCDate() && date.getUTCMonth() === ((month % 12) + 12) % 12) ??
    from
  );
}
