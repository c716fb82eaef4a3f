import { describe, expect, it } from 'vitest';
import { parsePrivateData } from '../../../../launchers/slurm/probe-polling.ts';

describe('what a cluster hides from other users', () => {
  it.each([
    ['PreemptMode             = CANCEL\nPrivateData             = none\nProctrackType = x', []],
    ['PrivateData             = jobs,usage,users', ['jobs', 'usage', 'users']],
    ['Configuration data as of 2026', []],
  ])('is read of %j', (text, hidden) => {
    expect(parsePrivateData(text)).toEqual(hidden);
  });
});
