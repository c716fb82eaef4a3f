import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideMockFate, type MockRun, parseMockProgram } from '../../../../launchers/mock/mock-program.ts';

const parse = (environment: Record<string, string>) => parseMockProgram(environment, { runMs: 5 });
const run: MockRun = { startedMs: 1_000, graceMs: 50 };

describe('a mock program', () => {
  it('writes its message and ends well when it is told nothing', () => {
    expect(parse({ MSG: 'hello' })).toMatchObject({ exitCode: 0, runMs: 5, log: 'hello\n', results: [] });
  });

  it('does what its environment says', () => {
    const program = parse({
      MOCK_EXIT_CODE: '7',
      MOCK_RUN_MS: '30',
      MOCK_LOG: 'x',
      MOCK_RESULTS: '["a",{"b":1}]',
      MOCK_IGNORE_TERM: '1',
    });
    expect(program).toMatchObject({ exitCode: 7, runMs: 30, log: 'x\n', results: ['a', '{"b":1}'], ignoresTerm: true });
    expect(parse({ MOCK_RESULTS: 'no list' }).results).toEqual(['no list']);
    expect(parse({ MOCK_SHOW: 'NAME', NAME: 'value' }).log).toBe('value\n');
  });

  it('takes what is no number as nothing said', () => {
    expect(parse({ MOCK_EXIT_CODE: '-1', MOCK_RUN_MS: 'soon' })).toMatchObject({ exitCode: 0, runMs: 5 });
    expect(parse({ MOCK_EXIT_CODE: '999' }).exitCode).toBe(255);
  });

  it.each<[string, Record<string, string>, Partial<MockRun>, number, object]>([
    ['runs before its end', { MOCK_RUN_MS: '100' }, {}, 1_099, { kind: 'running' }],
    [
      'ends by itself',
      { MOCK_RUN_MS: '100' },
      {},
      5_000,
      { kind: 'ended', atMs: 1_100, exitCode: 0, reason: 'exited' },
    ],
    ['waits for its file', { MOCK_UNTIL_FILE: '/go' }, {}, 9_999, { kind: 'running' }],
    [
      'goes on when the file is there',
      { MOCK_UNTIL_FILE: '/go' },
      { releasedMs: 1_500 },
      2_000,
      { atMs: 1_500, reason: 'exited' },
    ],
    [
      'stops when it is asked',
      { MOCK_RUN_MS: '100' },
      { stopMs: 1_020 },
      1_030,
      { atMs: 1_020, exitCode: 143, reason: 'signalled' },
    ],
    ['does not listen', { MOCK_RUN_MS: '100', MOCK_IGNORE_TERM: '1' }, { stopMs: 1_020 }, 1_060, { kind: 'running' }],
    [
      'is killed',
      { MOCK_RUN_MS: '100', MOCK_IGNORE_TERM: '1' },
      { stopMs: 1_020 },
      1_080,
      { atMs: 1_070, exitCode: 137 },
    ],
    [
      'has a time limit',
      { MOCK_RUN_MS: '100' },
      { timeLimitMs: 30 },
      1_040,
      { atMs: 1_030, exitCode: 143, reason: 'time-limit' },
    ],
    [
      'ends by itself in its grace time',
      { MOCK_RUN_MS: '60', MOCK_IGNORE_TERM: '1' },
      { timeLimitMs: 30 },
      2_000,
      { atMs: 1_060, exitCode: 0, reason: 'time-limit' },
    ],
  ])('%s', (_title, environment, changes, nowMs, fate) => {
    expect(decideMockFate(parse(environment), { ...run, ...changes }, nowMs)).toMatchObject(fate);
  });

  it('has one end, whenever it is looked at', () => {
    const times = fc.record(
      { stopMs: fc.integer({ min: 1_000, max: 2_000 }), timeLimitMs: fc.integer({ min: 1, max: 999 }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        times,
        fc.boolean(),
        fc.nat(500),
        fc.array(fc.integer({ min: 1_000, max: 4_000 })),
        (changes, ignores, runMs, looks) => {
          const program = parse({ MOCK_RUN_MS: String(runMs), ...(ignores ? { MOCK_IGNORE_TERM: '1' } : {}) });
          const last = decideMockFate(program, { ...run, ...changes }, 10_000);
          for (const nowMs of looks) {
            const fate = decideMockFate(program, { ...run, ...changes }, nowMs);
            expect(fate.kind === 'running' ? last : fate).toEqual(last);
          }
        },
      ),
    );
  });
});
