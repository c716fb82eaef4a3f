import { describe, expect, it } from 'vitest';
import { parseExecution } from '../../../src/client/answer.ts';
import { exitOf } from '../../../src/client/exit-of.ts';

const execution = (fields: object) => parseExecution({ id: 'e1', status: 'COMPLETE', end: 'exited', ...fields });

describe('exitOf', () => {
  it.each([0, 1, 42])('gives the program its own exit code %i', (code) => {
    expect(exitOf(execution({ exit_code: code }))).toEqual({ code });
  });

  it('gives the exit code and the reason where the program did not end by itself', () => {
    expect(exitOf(execution({ end: 'time-limit', end_detail: 'after 10 s', exit_code: 143 }))).toEqual({
      code: 143,
      reason: 'Execution "e1" ended as time-limit: after 10 s',
    });
  });

  it('goes by the end where a program that failed ends its execution as ERROR', () => {
    expect(exitOf(execution({ status: 'ERROR', exit_code: 42 }))).toEqual({ code: 42 });
    expect(exitOf(execution({ status: 'ERROR', end: 'time-limit', exit_code: 143 })).code).toBe(143);
    expect(exitOf(execution({ status: 'ERROR', end: 'launch-failed', exit_code: 127 })).code).toBe(1);
  });

  it.each(['lost', 'launch-failed'])('is 1 with the reason where it ended as %s', (end) => {
    expect(exitOf(execution({ status: 'ERROR', end }))).toEqual({ code: 1, reason: `Execution "e1" ended as ${end}` });
  });

  it('is 1 where nobody knows the exit code', () => {
    expect(exitOf(execution({ exit_code: 'undetermined' }))).toEqual({ code: 1 });
  });
});
