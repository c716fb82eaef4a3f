import { describe, expect, it } from 'vitest';
import { stateOfEnd } from '../../../src/executions/execution.ts';
import { endOf } from '../../../src/workers/end-of.ts';

const at = new Date(1_000);

describe('endOf', () => {
  it('takes a failing program for a complete execution', () => {
    const end = endOf({ kind: 'exited', at, exitCode: 7 });
    expect(end).toEqual({ end: 'exited', exitCode: 7, finishedAt: at });
    expect(stateOfEnd('exited')).toBe('complete');
  });

  it('names the limit that killed a program', () => {
    expect(endOf({ kind: 'killed', at, by: 'out-of-memory', detail: 'too much', exitCode: 137 })).toMatchObject({
      end: 'out-of-memory',
      exitCode: 137,
    });
    expect(endOf({ kind: 'killed', at, by: 'preemption', detail: 'moved' })).toMatchObject({ end: 'preempted' });
  });

  it('takes what could not be started for an error', () => {
    expect(endOf({ kind: 'not-started', at, exitCode: 127, detail: 'no such file' })).toMatchObject({
      end: 'launch-failed',
    });
    expect(stateOfEnd('launch-failed')).toBe('error');
  });

  it('allows another attempt only where nothing ran and nothing can run', () => {
    expect(endOf({ kind: 'lost', at, started: false, detail: 'gone' })).toBe('again');
    expect(endOf({ kind: 'lost', at, started: true, detail: 'gone' })).toMatchObject({ end: 'lost' });
  });
});
