/**
 * What a mock container does, told by its environment, so that a message can say it: each query parameter of a message
 * becomes a variable.
 *
 * - `MOCK_EXIT_CODE=7` – ends with it (0 is usual)
 * - `MOCK_RUN_MS=500` – runs so long (the launcher's `run` is usual)
 * - `MOCK_UNTIL_FILE=/tmp/go` – runs until that file is there
 * - `MOCK_LOG=text` – writes it and a newline (the message itself is usual)
 * - `MOCK_RESULTS=["one","two"]` – hands these back; text that is no JSON list is one result
 * - `MOCK_IGNORE_TERM=1` – has to be killed
 * - `MOCK_SHOW=NAME` – writes that variable; `MOCK_SHOW_BINARY=1` – writes the binary message
 * - `MOCK_MISSING=1` – there is no such program in the image
 */

export interface MockProgram {
  readonly exitCode: number;
  readonly runMs: number;
  readonly untilFile: string | undefined;
  readonly log: string;
  readonly showsBinaryMessage: boolean;
  readonly results: readonly string[];
  readonly ignoresTerm: boolean;
  readonly isMissing: boolean;
}

export function parseMockProgram(
  environment: Readonly<Record<string, string>>,
  usual: { readonly runMs: number },
): MockProgram {
  const flag = (name: string) => environment[name] === '1' || environment[name] === 'true';
  return {
    exitCode: readNumber(environment['MOCK_EXIT_CODE'], 255) ?? 0,
    runMs: readNumber(environment['MOCK_RUN_MS'], Number.MAX_SAFE_INTEGER) ?? usual.runMs,
    untilFile: environment['MOCK_UNTIL_FILE'],
    log: logOf(environment),
    showsBinaryMessage: flag('MOCK_SHOW_BINARY'),
    results: readResults(environment['MOCK_RESULTS']),
    ignoresTerm: flag('MOCK_IGNORE_TERM'),
    isMissing: flag('MOCK_MISSING'),
  };
}

function logOf(environment: Readonly<Record<string, string>>): string {
  const shown = environment['MOCK_SHOW'];
  const text = shown === undefined ? (environment['MOCK_LOG'] ?? environment['MSG']) : (environment[shown] ?? '');
  return text === undefined ? '' : `${text}\n`;
}

function readNumber(text: string | undefined, most: number): number | undefined {
  const value = /^\d{1,15}$/.test(text ?? '') ? Number(text) : undefined;
  return value === undefined ? undefined : Math.min(value, most);
}

function readResults(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))) : [text];
  } catch {
    return [text];
  }
}

/** How a started program stands at `nowMs`: running, or ended in the past for a reason. */
export type MockFate =
  | { readonly kind: 'running' }
  | {
      readonly kind: 'ended';
      readonly atMs: number;
      readonly exitCode: number;
      readonly reason: 'exited' | 'time-limit' | 'signalled';
    };

export interface MockRun {
  readonly startedMs: number;
  /** When the file it waits for was seen. */
  readonly releasedMs?: number;
  /** When it was asked to stop. */
  readonly stopMs?: number;
  readonly timeLimitMs?: number;
  readonly graceMs: number;
}

/** Time alone decides, so that a program goes on while no process of ours is there. */
export function decideMockFate(program: MockProgram, run: MockRun, nowMs: number): MockFate {
  const limitMs = run.timeLimitMs === undefined ? Number.POSITIVE_INFINITY : run.startedMs + run.timeLimitMs;
  const termMs = Math.min(limitMs, run.stopMs ?? Number.POSITIVE_INFINITY);
  const reason = limitMs <= (run.stopMs ?? Number.POSITIVE_INFINITY) ? 'time-limit' : 'signalled';
  const ownEndMs =
    program.untilFile === undefined ? run.startedMs + program.runMs : (run.releasedMs ?? Number.POSITIVE_INFINITY);
  const forcedMs = termMs + (program.ignoresTerm ? run.graceMs : 0);
  if (ownEndMs <= Math.min(forcedMs, nowMs)) {
    return { kind: 'ended', atMs: ownEndMs, exitCode: program.exitCode, reason: ownEndMs < termMs ? 'exited' : reason };
  }
  if (forcedMs > nowMs) return { kind: 'running' };
  return { kind: 'ended', atMs: forcedMs, exitCode: program.ignoresTerm ? 137 : 143, reason };
}
