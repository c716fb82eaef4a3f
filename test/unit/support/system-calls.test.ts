import { describe, expect, it } from 'vitest';
import { findAnswer } from '../../support/system-calls.ts';

const ask = '7 read(9<socket:[1]>, "EVALSHA … E1 …", 16384) = 100';
const write = '7 write(8</data/a.incr.aof>, "HSET … E1 …", 300) = 300';
const sync = '7 fdatasync(8</data/a.incr.aof>) = 0';
const answer = '7 write(9<socket:[1]>, "posted", 30) = 30';

describe('the answer to a command', () => {
  it.each([
    ['safe', [ask, write, sync, answer], { written: true, synced: true }],
    ['not synced', [ask, write, answer, sync], { written: true, synced: false }],
    ['synced before it was written', [ask, sync, write, answer], { written: true, synced: false }],
    ['synced by another thread', [ask, write, sync.replace('7', '8'), answer], { written: true, synced: false }],
    ['synced in vain', [ask, write, sync.replace('= 0', '= -1 EIO'), answer], { written: true, synced: false }],
    ['another file synced', [ask, write, sync.replace('.aof', '.log'), answer], { written: true, synced: false }],
    ['not written', [ask, answer], { written: false, synced: false }],
    [
      'given to another first',
      [ask, answer.replaceAll('9', '3'), write, sync, answer],
      { written: true, synced: true },
    ],
  ])('is seen to be %s', (_name, calls, found) => {
    expect(findAnswer(calls, 'E1')).toEqual(found);
  });

  it.each([
    ['nobody asked', [write, sync, answer]],
    ['nobody answered', [ask, write, sync]],
  ])('is nothing where %s', (_name, calls) => {
    expect(findAnswer(calls, 'E1')).toBeUndefined();
  });
});
