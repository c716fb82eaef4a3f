import { describe, expect, it } from 'vitest';
import { isOwnRecord } from '../../../../launchers/slurm/own-record.ts';

const record = { id: '70_3', ownId: 74, name: 'abaco-s0123456789abcdef', user: 'alice', states: ['RUNNING'] };
const told = { ...record, reason: 'None', exitCode: 0, signal: 0, nodes: 'c1' };

describe('a job that a start marker names', () => {
  it.each([
    ['is the one that was handed over, whatever Slurm calls its user', '70_3', { user: '10001' }, true],
    ['is another of ours of the same user', '60', {}, true],
    ['is another of ours where nothing is known of the one that was handed over', '', {}, true],
    ['is of the same user in the letters of the accounting', '60', { user: 'ALICE' }, true],
    ['is no job of another', '60', { user: 'bob' }, false],
    ['is no job of which nobody says whose it is', '60', { user: '' }, false],
    ['is no job that is not ours', '60', { name: 'thesis' }, false],
    ['is no job that is not ours, where numbers have begun again', '70_3', { name: 'thesis' }, false],
  ])('%s', (_, handedOver, changed, is) => {
    expect(isOwnRecord({ ...told, ...changed }, { user: 'alice', handedOver })).toBe(is);
  });

  it('is the one that Slurm named, whatever it calls its user, where that is one of ours', () => {
    expect(isOwnRecord({ ...told, user: '10001' }, { user: 'alice' })).toBe(true);
    expect(isOwnRecord({ ...told, name: 'thesis' }, { user: 'alice' })).toBe(false);
  });
});
