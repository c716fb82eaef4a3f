import { describe, expect, it } from 'vitest';
import { type ContainerState, type Decision, decideEnd, type Observation } from '../../../src/launcher/decide-end.ts';
import type { EndRecord } from '../../../src/launcher/end-record.ts';

const now = new Date('2026-01-01T12:00:00Z');
const finishedAt = new Date('2026-01-01T11:59:00Z');
const engineAt = new Date('2026-01-01T11:59:30Z');

const gone: ContainerState = { kind: 'gone' };
const created: ContainerState = { kind: 'created' };
const running: ContainerState = { kind: 'running' };
const exited = (
  exitCode: number,
  changes: Partial<Extract<ContainerState, { kind: 'exited' }>> = {},
): ContainerState => ({
  kind: 'exited',
  exitCode,
  outOfMemory: false,
  at: engineAt,
  detail: '',
  ...changes,
});
const unknownTime: ContainerState = { kind: 'exited', exitCode: 9, outOfMemory: false, detail: '' };

const started = { kind: 'started', owner: 'me' } as const;
const free = { kind: 'free' } as const;
const closed = (reason: string) => ({ kind: 'closed', reason }) as const;

function record(exitCode: number, reason: EndRecord['reason'] = 'exited', detail = ''): EndRecord {
  const counts = {
    cpuMs: 1,
    maxMemoryBytes: 1,
    readBytes: 0,
    writtenBytes: 0,
    logBytes: 0,
    logTotalBytes: 0,
    results: 0,
    droppedResults: 0,
  };
  return {
    owner: 'me',
    reason,
    exitCode,
    signal: Math.max(0, exitCode - 128),
    startedAt: finishedAt,
    finishedAt,
    detail,
    ...counts,
  };
}

const lost = (isStarted: boolean) => ({ kind: 'end', end: { kind: 'lost', started: isStarted } });
const end = (kind: string, exitCode?: number) => ({
  kind: 'end',
  end: exitCode === undefined ? { kind } : { kind, exitCode },
});
const killed = (by: string, exitCode: number) => ({ kind: 'end', end: { kind: 'killed', by, exitCode } });

type Case = [title: string, seen: Partial<Observation>, decision: unknown];

const cases: Case[] = [
  ['a running container whose program is about to start', { marker: free, container: running }, { kind: 'wait' }],
  ['a container that was never started', { marker: free, container: created }, { kind: 'close' }],
  ['a container that is gone before the start', { marker: free, container: gone }, { kind: 'close' }],
  ['a helper that could not run', { marker: free, container: exited(126) }, { kind: 'close' }],
  ['a marker closed by a cancel', { marker: closed('cancelled'), container: running }, end('cancelled')],
  ['a marker closed for another reason', { marker: closed('lost'), container: gone }, lost(false)],

  ['a program that runs', { container: running }, { kind: 'wait' }],
  ['a program that ended well', { container: exited(0), record: record(0) }, end('exited', 0)],
  ['a program that failed', { container: exited(7), record: record(7) }, end('exited', 7)],
  ['a record before the engine knows', { container: running, record: record(7) }, { kind: 'wait' }],
  ['a record that tells another code than the engine', { container: exited(3), record: record(0) }, end('exited', 3)],
  ['a container started again by hand, which refused', { container: exited(113), record: record(4) }, end('exited', 4)],
  [
    'a program that ends with the code of the helper',
    { container: exited(113), record: record(113) },
    end('exited', 113),
  ],
  ['a record whose container is gone', { container: gone, isOwner: false, record: record(5) }, end('exited', 5)],
  [
    'a loser beside the record of the owner',
    { container: exited(113), isOwner: false, record: record(5) },
    end('exited', 5),
  ],
  ['a TERM from outside', { container: exited(143), record: record(143, 'signalled') }, end('exited', 143)],

  [
    'a cancelled program',
    { container: exited(143), record: record(143, 'signalled'), cancelled: true },
    end('cancelled', 143),
  ],
  [
    'a cancelled program that ended by itself',
    { container: exited(0), record: record(0), cancelled: true },
    end('cancelled', 0),
  ],
  ['a cancelled program whose helper was killed', { container: exited(137), cancelled: true }, end('cancelled', 137)],
  ['a cancelled program that vanished', { container: gone, isOwner: false, cancelled: true }, end('cancelled')],

  ['a time limit', { container: exited(143), record: record(143, 'time-limit') }, killed('time-limit', 143)],
  [
    'a time limit of what was cancelled',
    { container: gone, record: record(143, 'time-limit'), cancelled: true },
    killed('time-limit', 143),
  ],

  [
    'a kill for memory',
    { container: exited(137, { outOfMemory: true }), record: record(137) },
    killed('out-of-memory', 137),
  ],
  [
    'a kill for memory that took the helper too',
    { container: exited(137, { outOfMemory: true }) },
    killed('out-of-memory', 137),
  ],
  ['a kill that was not for memory', { container: exited(137), record: record(137) }, end('exited', 137)],
  [
    'memory that ran out in a part the program survived',
    { container: exited(0, { outOfMemory: true }), record: record(0) },
    end('exited', 0),
  ],

  [
    'an entrypoint that is not there',
    { container: exited(127), record: record(127, 'exec-failed', 'no such file') },
    end('not-started', 127),
  ],
  ['a run directory that cannot be used', { container: exited(114) }, end('not-started', 114)],

  ['a container that vanished while it ran', { container: gone, isOwner: false }, lost(true)],
  ['a loser alone, when the owner is gone', { container: exited(113), isOwner: false }, lost(true)],
  ['a helper that was killed', { container: exited(137) }, end('exited', 137)],
  ['an engine that knows no code after a restart', { container: exited(0) }, lost(true)],
  ['an engine that knows no code after a crash of the host', { container: exited(255) }, lost(true)],
  ['an engine that knows no time', { container: unknownTime }, lost(true)],
];

function decide(seen: Partial<Observation>): Decision {
  return decideEnd({ container: gone, isOwner: true, marker: started, cancelled: false, now, ...seen });
}

describe('the end of an attempt', () => {
  it.each(cases)('after %s', (_title, seen, decision) => {
    expect(decide(seen)).toMatchObject(decision as object);
  });

  it('has the time of the record, else of the engine, else of the look', () => {
    expect(decide({ container: exited(1), record: record(1) })).toMatchObject({ end: { at: finishedAt } });
    expect(decide({ container: exited(137) })).toMatchObject({ end: { at: engineAt } });
    expect(decide({ isOwner: false })).toMatchObject({ end: { at: now } });
  });

  it('says what is known of a start that failed', () => {
    const container = exited(125, { detail: 'exec format error' });
    expect(decide({ marker: free, container })).toMatchObject({
      detail: expect.stringMatching('125, exec format error'),
    });
    const failed = record(127, 'exec-failed', '/app: No such file or directory');
    expect(decide({ container: exited(127), record: failed })).toMatchObject({
      end: { detail: '/app: No such file or directory' },
    });
  });
});
