import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  listProcesses,
  parseProcesses,
  parseStarter,
  presenceOf,
  type Starter,
  treeOf,
} from '../../../../launchers/apptainer/process-table.ts';

const boot = '0e45e1c1-5a5b-4c5d-9c7e-0123456789ab';
const starter: Starter = { host: 'login', boot, pid: 100, start: 5_000 };

interface Process {
  readonly pid: number;
  readonly name?: string;
  readonly state?: string;
  readonly parent?: number;
  readonly session?: number;
  readonly threads?: number;
  readonly start?: number;
}

/** As grep lists the files of proc(5). */
function listed(processes: readonly Process[], host = 'login', bootId = boot): string {
  const lines = processes.map(({ pid, name = 'x', state = 'S', parent = 1, session = 1, threads = 1, start = 1 }) => {
    const zeros = (count: number) => Array.from({ length: count }, () => '0').join(' ');
    const stat = `${pid} (${name}) ${state} ${parent} 1 ${session} ${zeros(11)} 20 0 ${threads} 0 ${start} ${zeros(30)}`;
    return stat.replaceAll(/^/gm, `/proc/${pid}/stat:`);
  });
  return [host, `/proc/sys/kernel/random/boot_id:${bootId}`, ...lines, ''].join('\n');
}

const names = (processes: readonly Process[]): readonly number[] =>
  treeOf(starter, parseProcesses(listed(processes))).map(({ pid }) => pid);

describe('the processes of a host', () => {
  it('tell whether a process is still the same', () => {
    const there = { pid: 100, start: 5_000 };
    expect(presenceOf(starter, parseProcesses(listed([there])))).toBe('there');
    expect(presenceOf(starter, parseProcesses(listed([])))).toBe('gone');
    expect(presenceOf(starter, parseProcesses(listed([{ pid: 100, start: 5_001 }])))).toBe('gone');
  });

  it('are others after a reboot', () => {
    const other = boot.replace('0', '1');
    expect(presenceOf(starter, parseProcesses(listed([{ pid: 100, start: 5_000 }], 'login', other)))).toBe('gone');
  });

  it('say nothing of those of another host of the same address, nor when they were not listed', () => {
    expect(presenceOf(starter, parseProcesses(listed([], 'login2')))).toBe('unknown');
    expect(presenceOf(starter, parseProcesses(''))).toBe('unknown');
  });

  it.each([
    [null, 'SIGKILL'],
    [137, null],
  ])('are not known by a list that was cut off: exit code %j', (exitCode, signal) => {
    const cut = () => listProcesses.parse({ exitCode, signal, stdout: listed([]), stderr: '' });
    expect(cut).toThrow(expect.objectContaining({ code: 'launcher.unavailable', retryable: true }));
  });

  it.each([0, 2])('are known by a list of what was there, also where some have ended meanwhile: %i', (exitCode) => {
    const table = listProcesses.parse({ exitCode, signal: null, stdout: listed([]), stderr: '' });
    expect(presenceOf(starter, table)).toBe('gone');
  });

  it.each([
    ['Z', 1, 'gone'],
    ['Z', 2, 'there'],
    ['X', 1, 'gone'],
  ] as const)('in state %s with %d threads is %s', (state, threads, presence) => {
    const one = { pid: 100, start: 5_000, state, threads };
    expect(presenceOf(starter, parseProcesses(listed([one])))).toBe(presence);
  });

  it('are taken at their word only about themselves, whatever their names', () => {
    const fake = `a\n100 (x) S 1 1 1 ${'0 '.repeat(11)}20 0 1 0 5000 ${'0 '.repeat(30)}`;
    const table = parseProcesses(listed([{ pid: 666, name: fake }]));
    expect(presenceOf(starter, table)).toBe('gone');
    expect(parseProcesses(listed([{ pid: 7, name: 'a) S 9 (b', parent: 3 }])).processes.get(7)).toMatchObject({
      name: 'a) S 9 (b',
      parent: 3,
    });
  });

  it('belong to a starter that they came from, parents first', () => {
    const processes = [
      { pid: 300, parent: 200 },
      { pid: 100, start: 5_000, session: 100 },
      { pid: 200, parent: 100 },
      { pid: 400, parent: 1 },
    ];
    expect(names(processes)).toEqual([100, 200, 300]);
  });

  it('belong to it also once it is gone, by their session', () => {
    expect(names([{ pid: 200, session: 100 }, { pid: 300, parent: 200 }, { pid: 400 }])).toEqual([200, 300]);
  });

  it('belong to nobody whose number is another process now', () => {
    const processes = [
      { pid: 100, start: 6_000, session: 100 },
      { pid: 200, parent: 100 },
    ];
    expect(names(processes)).toEqual([]);
  });

  it('are read from any text without a word', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(400), (text, cut) => {
        const whole = listed([{ pid: 100, start: 5_000 }]);
        expect(parseProcesses(text + whole.slice(0, cut)).processes.size).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  it('are those of this machine, of which this process is one', async () => {
    const { runProgram } = await import('../../../../launchers/host/run-program.ts');
    const table = listProcesses.parse(await runProgram('here', listProcesses, new AbortController().signal));
    expect(table.processes.get(process.pid)).toMatchObject({ pid: process.pid, parent: process.ppid });
  });
});

describe('the name of a process', () => {
  it('is read as it was written', () => {
    expect(parseStarter(`login/${boot}/100/5000`)).toEqual(starter);
  });

  it.each(['', 'x', `login/${boot}/0/1`, `login/${boot}/1/`, `a b/${boot}/1/1`, `../${boot}/1/1/1`])(
    'is not %j',
    (text) => expect(parseStarter(text)).toBeUndefined(),
  );
});
