import { describe, expect, it } from 'vitest';
import { createOpenStreams } from '../../../src/api/open-streams.ts';

const jane = { tenant: 'T', user: 'jane' };

describe('open streams', () => {
  it('are as many of each user of each tenant as the limit says', () => {
    const streams = createOpenStreams(2);
    for (const who of [jane, { tenant: 'T', user: 'joe' }, { tenant: 'U', user: 'jane' }]) {
      streams.open(who);
      streams.open(who);
      expect(() => streams.open(who)).toThrow(/^User "j\w+" has 2 .*, the limit of limits\.streams_per_user/);
    }
  });

  it('leave room for another when one ends, once however often it is ended', () => {
    const streams = createOpenStreams(2);
    const [first, second] = [streams.open(jane), streams.open(jane)];
    for (let times = 0; times < 3; times += 1) first[Symbol.dispose]();
    const third = streams.open(jane);
    expect(() => streams.open(jane)).toThrow('2');
    for (const one of [second, third]) one[Symbol.dispose]();
    streams.open(jane);
  });

  it('are without a limit where it is 0', () => {
    const streams = createOpenStreams(0);
    const open = (): void => {
      for (let count = 0; count < 1_000; count += 1) streams.open(jane);
    };
    expect(open).not.toThrow();
  });
});
