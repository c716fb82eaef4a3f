/**
 * Stands for a container engine and for the helper in its containers. Its state is files, so that it outlives the
 * process as an engine does: one JSON file per container, one line in `starts` per program that started.
 */

import { randomBytes } from 'node:crypto';
import {
  access,
  appendFile,
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { attemptKey, parseAttemptKey } from '../../src/launcher/attempt-key.ts';
import type { ContainerState } from '../../src/launcher/decide-end.ts';
import type { AttemptRef, LaunchLimits } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import { decideMockFate, type MockProgram, type MockRun } from './mock-program.ts';
import { renderMockRecord } from './mock-record.ts';

/** What is asked for when a container is made. */
export interface MockContainerPlan {
  readonly program: MockProgram;
  readonly limits: LaunchLimits;
  readonly runDir: string;
  readonly ledgerEntry: string;
  readonly notAfterMs: number;
}

interface MockContainer extends MockContainerPlan {
  /** What it puts into the start marker. */
  readonly starter: string;
  readonly run?: MockRun;
  /** Of one whose helper refused to start. */
  readonly refusedMs?: number;
  readonly droppedResults?: number;
  readonly logBytes?: number;
}

export interface FoundMockContainer {
  readonly state: ContainerState;
  readonly starter: string;
  readonly startedAt?: Date;
}

export interface MockEngine {
  find(ref: AttemptRef): Promise<FoundMockContainer | undefined>;
  /** Again leaves the one that is there. */
  create(ref: AttemptRef, plan: MockContainerPlan): Promise<void>;
  start(ref: AttemptRef): Promise<'started' | 'gone'>;
  stop(ref: AttemptRef): Promise<void>;
  remove(ref: AttemptRef): Promise<void>;
  list(): Promise<readonly AttemptRef[]>;
}

/** Exit code of the helper when it is not the one to start. */
const refusedCode = 113;

export function createMockEngine(options: { readonly dir: string; readonly installationId: string }): MockEngine {
  const containersDir = join(options.dir, options.installationId);
  const pathOf = (ref: AttemptRef) => join(containersDir, `${attemptKey(ref)}.json`);
  const claimOf = (ref: AttemptRef) => join(containersDir, `${attemptKey(ref)}.started`);

  async function read(ref: AttemptRef): Promise<MockContainer | undefined> {
    const text = await readFile(pathOf(ref), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as MockContainer);
  }

  /** Only over one that is there: what was removed meanwhile stays removed. */
  async function write(ref: AttemptRef, container: MockContainer): Promise<void> {
    const temporary = await writeTemporary(containersDir, container);
    const isThere = await access(pathOf(ref)).then(
      () => true,
      () => false,
    );
    await (isThere ? rename(temporary, pathOf(ref)) : rm(temporary));
  }

  /** Brings the container up to now, as time and files have it. */
  async function look(ref: AttemptRef): Promise<MockContainer | undefined> {
    const container = await read(ref);
    if (container?.run === undefined) return container;
    const isReleased = container.run.releasedMs !== undefined || !(await fileIsThere(container.program.untilFile));
    const run = isReleased ? container.run : { ...container.run, releasedMs: Date.now() };
    const current = { ...container, run };
    if (!isReleased) await write(ref, current);
    await recordEnd(current, run);
    return current;
  }

  async function find(ref: AttemptRef): Promise<FoundMockContainer | undefined> {
    const container = await look(ref);
    return (
      container && {
        state: stateOf(container),
        starter: container.starter,
        ...optional('startedAt', startedAt(container)),
      }
    );
  }

  return {
    find,
    async create(ref, plan) {
      await mkdir(containersDir, { recursive: true });
      const temporary = await writeTemporary(containersDir, { ...plan, starter: randomBytes(16).toString('hex') });
      // A link, unlike a rename, does not take the place of what is there.
      await link(temporary, pathOf(ref)).catch(returnIfThere(undefined));
      await rm(temporary);
    },
    async start(ref) {
      const container = await read(ref);
      if (container === undefined) return 'gone';
      if (!(await isFirst(claimOf(ref)))) return 'started';
      if (!(await takesMarker(container))) {
        await write(ref, { ...container, refusedMs: Date.now() });
        return 'started';
      }
      await appendFile(join(options.dir, 'starts'), `${options.installationId} ${attemptKey(ref)}\n`);
      const written = await runProgram(container);
      const { timeMs, graceMs } = container.limits;
      await write(ref, {
        ...container,
        ...written,
        run: { startedMs: Date.now(), graceMs, ...optional('timeLimitMs', timeMs) },
      });
      await look(ref);
      return 'started';
    },
    async stop(ref) {
      const container = await look(ref);
      if (container?.run === undefined || container.run.stopMs !== undefined) return;
      await write(ref, { ...container, run: { ...container.run, stopMs: Date.now() } });
    },
    async remove(ref) {
      await rm(pathOf(ref), { force: true });
      await rm(claimOf(ref), { force: true });
    },
    async list() {
      const names = await readdir(containersDir).catch(() => []);
      const keys = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
      return keys.map(parseAttemptKey).filter((ref) => ref !== undefined);
    },
  };
}

async function writeTemporary(dir: string, container: MockContainer): Promise<string> {
  const temporary = join(dir, `${randomBytes(8).toString('hex')}.new`);
  await writeFile(temporary, JSON.stringify(container));
  return temporary;
}

/** An engine starts a container once, however many ask at the same time. */
async function isFirst(claim: string): Promise<boolean> {
  return await writeFile(claim, '', { flag: 'wx' }).then(() => true, returnIfThere(false));
}

/** As the helper does it: one link, and then what it reads back decides. */
async function takesMarker({ ledgerEntry, starter, notAfterMs }: MockContainer): Promise<boolean> {
  if (Date.now() > notAfterMs) return false;
  const marker = join(ledgerEntry, 'start');
  await symlink(starter, marker).catch(() => {});
  return (await readlink(marker).catch(() => '')) === starter;
}

/** Everything is written at the start, however long it runs. */
async function runProgram({
  program,
  limits,
  runDir,
}: MockContainer): Promise<Pick<MockContainer, 'droppedResults' | 'logBytes'>> {
  if (program.isMissing) return { droppedResults: 0, logBytes: 0 };
  const log = program.showsBinaryMessage ? await readFile(join(runDir, 'binary')) : Buffer.from(program.log);
  await writeFile(join(runDir, 'log'), log.subarray(0, limits.logBytes));
  const datagrams = program.results.map((result) => Buffer.from(result)).filter((bytes) => bytes.length > 0);
  const { frames, droppedResults } = frameResults(datagrams, limits);
  await writeFile(join(runDir, 'results'), Buffer.concat(frames));
  return { droppedResults, logBytes: log.length };
}

function frameResults(datagrams: readonly Buffer[], limits: LaunchLimits) {
  const frames: Buffer[] = [];
  let [droppedResults, totalBytes] = [0, 0];
  for (const bytes of datagrams) {
    const isLong = bytes.length > limits.resultBytes;
    const framed = frame(bytes, isLong);
    const hasRoom = frames.length < limits.resultCount && totalBytes + framed.length <= limits.resultTotalBytes;
    if (isLong || !hasRoom) droppedResults += 1;
    if (!hasRoom) continue;
    frames.push(framed);
    totalBytes += framed.length;
  }
  return { frames, droppedResults };
}

function frame(bytes: Buffer, isLong: boolean): Buffer {
  const head = Buffer.alloc(isLong ? 8 : 4);
  head.writeUInt32BE(isLong ? 0xffff_ffff : bytes.length, 0);
  if (isLong) head.writeUInt32BE(bytes.length, 4);
  return isLong ? head : Buffer.concat([head, bytes]);
}

async function recordEnd(container: MockContainer, run: MockRun): Promise<void> {
  const { program, limits, ledgerEntry, starter } = container;
  const fate = decideMockFate(program, run, Date.now());
  const isWritten = await fileIsThere(join(ledgerEntry, 'end'));
  if ((fate.kind === 'running' && !program.isMissing) || isWritten) return;
  const logTotalBytes = container.logBytes ?? 0;
  const text = renderMockRecord({
    owner: starter,
    ...(fate.kind === 'running' || program.isMissing
      ? { reason: 'exec-failed', exitCode: 127, finishedMs: run.startedMs, detail: 'mock: No such file or directory' }
      : { reason: fate.reason, exitCode: fate.exitCode, finishedMs: fate.atMs, detail: '' }),
    startedMs: run.startedMs,
    logBytes: Math.min(logTotalBytes, limits.logBytes),
    logTotalBytes,
    results: program.results.length - (container.droppedResults ?? 0),
    droppedResults: container.droppedResults ?? 0,
  });
  const temporary = join(ledgerEntry, `end.${randomBytes(8).toString('hex')}`);
  await writeFile(temporary, text);
  await rename(temporary, join(ledgerEntry, 'end'));
}

function stateOf(container: MockContainer): ContainerState {
  if (container.refusedMs !== undefined) return exited(refusedCode, container.refusedMs);
  if (container.run === undefined) return { kind: 'created' };
  if (container.program.isMissing) return exited(127, container.run.startedMs);
  const fate = decideMockFate(container.program, container.run, Date.now());
  return fate.kind === 'running' ? { kind: 'running' } : exited(fate.exitCode, fate.atMs);
}

function exited(exitCode: number, atMs: number): ContainerState {
  return { kind: 'exited', exitCode, outOfMemory: false, at: new Date(atMs), detail: '' };
}

function startedAt({ run }: MockContainer): Date | undefined {
  return run && new Date(run.startedMs);
}

async function fileIsThere(path: string | undefined): Promise<boolean> {
  if (path === undefined) return false;
  return await access(path).then(
    () => true,
    () => false,
  );
}

function returnIfThere<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'EEXIST') return value;
    throw error;
  };
}
