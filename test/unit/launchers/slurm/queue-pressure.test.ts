import { describe, expect, it } from 'vitest';
import { createQueuePressure, pressureGroup } from '../../../../launchers/slurm/queue-pressure.ts';
import { QuotaError } from '../../../../src/errors.ts';

const full = new QuotaError('launcher.unavailable', 'no room');
const group = pressureGroup('alice', { account: 'small' });

function play() {
  let now = 0;
  const pressure = createQueuePressure({ firstMs: 1_000, mostMs: 8_000 }, () => now);
  return {
    pressure,
    pass: (ms: number): void => {
      now += ms;
    },
  };
}

describe('where Slurm takes no more', () => {
  it('nobody is held back before it has said so', () => {
    const { pressure } = play();
    for (let count = 0; count < 100; count += 1) pressure.admit(group);
    expect(pressure.most(group)).toBe(Number.POSITIVE_INFINITY);
  });

  it('everybody of the same kind is told the same for a while, and others are not', () => {
    const { pressure, pass } = play();
    pressure.refused(group, 10, full);
    expect(() => pressure.check(group)).toThrow('no room');
    expect(() => pressure.check(pressureGroup('alice', {}))).not.toThrow();
    expect(() => pressure.check(pressureGroup('bob', { account: 'small' }))).not.toThrow();
    pass(1_000);
    expect(() => pressure.check(group)).not.toThrow();
  });

  it('half as many ask again, then half of these, and one in the end', () => {
    const { pressure, pass } = play();
    for (const [members, most] of [
      [10, 5],
      [5, 2],
      [2, 1],
      [1, 1],
    ] as const) {
      pressure.refused(group, members, full);
      expect(pressure.most(group)).toBe(most);
      pass(60_000);
    }
    pressure.admit(group);
    // One is under way: until it is answered no other asks.
    expect(() => pressure.admit(group)).toThrow(QuotaError);
    pressure.taken(group, 1);
    expect(pressure.most(group)).toBe(2);
  });

  it('an answer that says nothing of room lets the next one ask', () => {
    const { pressure, pass } = play();
    pressure.refused(group, 1, full);
    pass(60_000);
    pressure.admit(group);
    pressure.unanswered(group, 1);
    expect(() => pressure.admit(group)).not.toThrow();
  });

  it('the end of something of its owner makes it ask at once', () => {
    const { pressure } = play();
    pressure.refused(group, 4, full);
    pressure.relax('bob');
    expect(() => pressure.check(group)).toThrow(QuotaError);
    pressure.relax('alice');
    expect(() => pressure.check(group)).not.toThrow();
  });

  it('as many as before are handed over again once enough were taken', () => {
    const { pressure, pass } = play();
    pressure.refused(group, 2, full);
    pass(60_000);
    for (let count = 0; count < 12; count += 1) {
      pressure.admit(group);
      pressure.taken(group, 1);
    }
    expect(pressure.most(group)).toBe(Number.POSITIVE_INFINITY);
  });
});
