import { describe, expect, it } from 'vitest';
import { parseExecution } from '../../../src/client/answer.ts';
import { createWaitNotes } from '../../../src/client/wait-notes.ts';
import { createMemoryScreen } from '../../support/memory-screen.ts';

function setUp(isTerminal = true) {
  let nowMs = 0;
  const screen = createMemoryScreen({ isTerminal });
  const notes = createWaitNotes(screen, { now: () => new Date(nowMs) });
  const look = (atMs: number, status: string, cause?: string, next?: string): readonly string[] => {
    nowMs = atMs;
    notes(parseExecution({ id: 'e1', status, ...(cause === undefined ? {} : { wait: { cause, next } }) }));
    return screen.notes;
  };
  return look;
}

describe('createWaitNotes', () => {
  it('is silent for the first two seconds', () => {
    expect(setUp()(1_999, 'SUBMITTED', 'no engine')).toEqual([]);
  });

  it('says why it waits, once for each reason', () => {
    const look = setUp();
    look(2_000, 'SUBMITTED', 'no engine', 'start it');
    look(3_000, 'SUBMITTED', 'no engine', 'start it');
    expect(look(4_000, 'SUBMITTED')).toEqual([
      'waiting: no engine; start it',
      'waiting: no worker has taken the message yet',
    ]);
  });

  it('is silent about what runs', () => {
    expect(setUp()(9_000, 'RUNNING')).toEqual([]);
  });

  it('says it in a script too, a little later', () => {
    const look = setUp(false);
    expect(look(9_999, 'SUBMITTED', 'no engine')).toEqual([]);
    look(10_000, 'SUBMITTED', 'no engine');
    expect(look(11_000, 'SUBMITTED', 'no engine')).toEqual(['waiting: no engine']);
  });

  it.each([
    ['It is tried again', 'it is tried again'],
    ['A worker starts', 'a worker starts'],
    ['Slurm decides', 'Slurm decides'],
    ['SSH is tried again', 'SSH is tried again'],
    ['MongoDB is asked', 'MongoDB is asked'],
    ['"channels" allow for more', '"channels" allow for more'],
  ])('goes on with "%s" in the same sentence', (next, clause) => {
    expect(setUp()(2_000, 'SUBMITTED', 'no engine', next)).toEqual([`waiting: no engine; ${clause}`]);
  });
});
