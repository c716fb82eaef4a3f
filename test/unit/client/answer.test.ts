import { describe, expect, it } from 'vitest';
import { hasEnded, parseActor, parseExecution, parseExecutions } from '../../../src/client/answer.ts';

const snake = {
  id: 'e1',
  status: 'COMPLETE',
  end: 'exited',
  exit_code: 3,
  message_received_time: '2026-05-01T14:45:41.591Z',
  start_time: '2026-05-01T14:45:42.000Z',
  finish_time: null,
  wait: null,
};
const camel = {
  id: 'e1',
  status: 'COMPLETE',
  end: 'exited',
  exitCode: 3,
  messageReceivedTime: '2026-05-01T14:45:41.591Z',
  startTime: '2026-05-01T14:45:42.000Z',
};

describe('parseExecution', () => {
  it('reads both letter cases, and null as nothing', () => {
    const { source: _, ...expected } = parseExecution(snake);
    expect(expected).toEqual({
      id: 'e1',
      status: 'COMPLETE',
      end: 'exited',
      exitCode: 3,
      receivedAt: new Date('2026-05-01T14:45:41.591Z'),
      startedAt: new Date('2026-05-01T14:45:42.000Z'),
    });
    expect(parseExecution(camel)).toEqual({ ...expected, source: camel });
  });

  it('keeps what the service sent', () => {
    expect(parseExecution(snake).source).toBe(snake);
  });

  it('reads why it waits', () => {
    const wait = { cause: 'no engine', since: '2026-05-01T14:45:42.000Z', owner: 'operator', next: 'start it' };
    expect(parseExecution({ ...snake, wait }).wait).toEqual({ cause: 'no engine', next: 'start it' });
  });

  it.each([[null], [[]], ['text'], [{ exit_code: 'undetermined', start_time: 'None' }]])('survives %j', (value) => {
    expect(parseExecution(value)).toEqual({ source: value, id: '', status: 'UNKNOWN' });
  });
});

describe('parseExecutions', () => {
  it('reads the summary of an actor', () => {
    expect(parseExecutions({ actor_id: 'a1', executions: [snake] }).map(({ id }) => id)).toEqual(['e1']);
  });
});

describe('parseActor', () => {
  it('reads both letter cases', () => {
    const known = { id: 'a1', image: 'i', statusMessage: 'why', stateless: false };
    expect(parseActor({ id: 'a1', name: null, image: 'i', status_message: 'why', stateless: false })).toEqual(known);
    expect(parseActor({ id: 'a1', image: 'i', statusMessage: 'why', stateless: false })).toEqual(known);
  });

  it('takes the blank message of a ready actor as none', () => {
    expect(parseActor({ id: 'a1', status_message: ' ' })).toEqual({ id: 'a1', stateless: true });
  });
});

describe('hasEnded', () => {
  it.each([
    ['SUBMITTED', false],
    ['RUNNING', false],
    ['COMPLETE', true],
    ['ERROR', true],
  ])('of %s is %s', (status, ended) => {
    expect(hasEnded({ status })).toBe(ended);
  });
});
