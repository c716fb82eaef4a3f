import { describe, expect, it } from 'vitest';
import { type ExecutionEnd, stateOfEnd } from '../../../src/executions/execution.ts';
import { endOf } from '../../../src/workers/end-of.ts';

const at = new Date(1_000);

describe('endOf', () => {
  it('tells the exit code of a program that failed', () => {
    const end = endOf({ kind: 'exited', at, exitCode: 7 });
    expect(end).toEqual({ end: 'exited', exitCode: 7, finishedAt: at });
  });

  it('names the limit that killed a program', () => {
    expect(endOf({ kind: 'killed', at, by: 'out-of-memory', detail: 'too much', exitCode: 137 })).toMatchObject({
      end: 'out-of-memory',
      exitCode: 137,
    });
    expect(endOf({ kind: 'killed', at, by: 'preemption', detail: 'moved' })).toMatchObject({ end: 'preempted' });
  });

  it('names what could not be started', () => {
    expect(endOf({ kind: 'not-started', at, exitCode: 127, detail: 'no such file' })).toMatchObject({
      end: 'launch-failed',
    });
  });

  it('allows another attempt only where nothing ran and nothing can run', () => {
    expect(endOf({ kind: 'lost', at, started: false, detail: 'gone' })).toBe('again');
    expect(endOf({ kind: 'lost', at, started: true, detail: 'gone' })).toMatchObject({ end: 'lost' });
  });
});

describe('stateOfEnd', () => {
  it.each<[ExecutionEnd, number | undefined, string, string]>([
    ['exited', 0, 'complete', 'complete'],
    ['exited', 7, 'complete', 'error'],
    ['time-limit', 143, 'complete', 'error'],
    ['out-of-memory', 137, 'complete', 'error'],
    ['node-failure', undefined, 'complete', 'error'],
    ['cancelled', 143, 'complete', 'error'],
    ['cancelled', undefined, 'complete', 'complete'],
    ['launch-failed', 127, 'error', 'error'],
    ['lost', undefined, 'error', 'error'],
  ])('of %s with exit code %s is %s, and %s where failed programs are errors', (end, exitCode, lenient, strict) => {
    const ended = { end, ...(exitCode === undefined ? {} : { exitCode }) };
    expect([stateOfEnd(ended, 'complete'), stateOfEnd(ended, 'error')]).toEqual([lenient, strict]);
  });
});
