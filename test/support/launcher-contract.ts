/**
 * What every launcher promises, one test each. An implementation brings a bench: how its launcher is made, how a program
 * with the asked-for behaviour is described to it, and how its backend is looked at from outside.
 */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  AttemptRef,
  LaunchEvent,
  Launcher,
  LaunchHandle,
  LaunchLimits,
  LaunchSpec,
} from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import { endIn, follow, followToEnd, readBytes, readOutput, readText, readTexts } from './follow-attempt.ts';
import { until } from './until.ts';

/** What a program of a test does, in this order. */
export interface TestProgram {
  /** Writes these, alternately to stdout and stderr. */
  readonly log?: readonly string[];
  readonly results?: readonly string[];
  /** Runs until `release`. */
  readonly holds?: boolean;
  readonly ignoresTerm?: boolean;
  readonly exitCode?: number;
  /** Instead of all that: writes this variable of its environment. */
  readonly showsVariable?: string;
  /** Instead of all that: writes the binary message. */
  readonly showsBinaryMessage?: boolean;
  /** Instead of all that: is not in the image. */
  readonly isMissing?: boolean;
}

export interface LauncherBench extends AsyncDisposable {
  /** A launcher of this bench's installation; again is the one a restarted process makes. */
  open(options?: OpenOptions): Promise<Launcher>;
  /** What a spec says to run this program. */
  describe(
    program: TestProgram,
    ref: AttemptRef,
  ): Pick<LaunchSpec, 'environment' | 'mounts' | 'user'> & { readonly argv: readonly string[] };
  /** Whose programs they are, where they run as their owner. */
  readonly owner?: string;
  /** An image that is there. */
  readonly image: string;
  /** Programs of this attempt that have started, as they counted themselves. */
  starts(ref: AttemptRef): Promise<number>;
  /** Lets a program that holds go on. */
  release(ref: AttemptRef): Promise<void>;
  /** Takes away what runs an attempt behind the launcher's back. */
  vanish(ref: AttemptRef): Promise<void>;
  /** Whatever is there of this bench's installations, but for ledgers and prepared images. */
  leftovers(): Promise<readonly string[]>;
}

export interface OpenOptions {
  /** Nothing given is the first one. */
  readonly installation?: 'first' | 'second';
  readonly checkpoint?: (point: string) => Promise<void>;
}

const signal = new AbortController().signal;
const limits: LaunchLimits = {
  graceMs: 2_000,
  logBytes: 1_000_000,
  resultBytes: 131_072,
  resultTotalBytes: 10_000_000,
  resultCount: 1_000,
};

export function describeLauncher(title: string, makeBench: () => Promise<LauncherBench>): void {
  describe(`the ${title} launcher`, () => {
    let bench: LauncherBench;
    let launcher: Launcher;
    let ref: AttemptRef;

    beforeEach(async () => {
      bench = await makeBench();
      launcher = await bench.open();
      ref = {
        executionId: `e${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`,
        attempt: 1,
        ...optional('owner', bench.owner),
      };
    });

    afterEach(async () => {
      const left = await bench.leftovers();
      await launcher.close();
      await bench[Symbol.asyncDispose]();
      expect(left).toEqual([]);
    });

    async function specFor(program: TestProgram, changes: Partial<LaunchSpec> = {}): Promise<LaunchSpec> {
      const image = await launcher.prepare({ name: bench.image }, signal);
      const { argv, ...described } = bench.describe(program, ref);
      const notAfter = new Date(Date.now() + 3_600_000);
      const spec = {
        ...ref,
        tenant: 'tacc',
        actorId: 'a1',
        privileged: false,
        limits,
        notAfter,
        ...described,
        ...changes,
      };
      return { ...spec, image: { ...image, argv }, environment: { ...described.environment, ...changes.environment } };
    }

    async function launch(program: TestProgram, changes: Partial<LaunchSpec> = {}): Promise<LaunchHandle> {
      return await launcher.launch(await specFor(program, changes), signal);
    }

    /** Launches, follows to the end, collects, removes. */
    async function run(program: TestProgram, changes: Partial<LaunchSpec> = {}) {
      const handle = await launch(program, changes);
      const events = await follow(launcher, handle);
      const output = await readOutput(await launcher.collect(handle, signal));
      await launcher.remove(ref);
      return { end: endIn(events), events, output };
    }

    /** What a scheduler lets wait says so first, and never again once it runs. */
    function afterQueue(events: readonly LaunchEvent[]): readonly LaunchEvent[] {
      const first = events.findIndex(({ kind }) => kind !== 'queued');
      if (first > 0) expect(launcher.capabilities.queues).toBe(true);
      return events.slice(first);
    }

    const started = () => until(async () => (await bench.starts(ref)) > 0, { timeoutMs: 20_000, what: 'the program' });

    describe('runs a program', () => {
      it('and tells that it runs, then how it ended', async () => {
        const { events } = await run({ exitCode: 0 });
        expect(afterQueue(events)).toMatchObject([{ kind: 'running' }, { kind: 'exited', exitCode: 0 }]);
        expect(await bench.starts(ref)).toBe(1);
      });

      it('and gives its failure back as data', async () => {
        const { end } = await run({ exitCode: 7 });
        expect(end).toMatchObject({ kind: 'exited', exitCode: 7 });
      });

      it('and keeps what it wrote to both streams, in order', async () => {
        const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
        const { output } = await run({ log: lines });
        expect(output.log.split('\n').slice(0, -1)).toEqual(lines);
        expect(output.logTruncated).toBe(false);
      });

      it('and cuts a log above its limit, and says so', async () => {
        const { output, end } = await run(
          { log: ['0123456789', 'abcdefghij'] },
          { limits: { ...limits, logBytes: 15 } },
        );
        expect(output).toMatchObject({ log: '0123456789\nabcd', logTruncated: true });
        expect(end).toMatchObject({ kind: 'exited', exitCode: 0 });
      });

      it('and reads its log while it runs, and again from any offset', async () => {
        const handle = await launch({ log: ['before'], holds: true });
        const early = await until(async () => {
          const output = await launcher.collect(handle, signal);
          return output.logBytes > 0 ? output : undefined;
        });
        expect(await readText(early.readLog(3))).toBe('ore\n');
        expect(early.usage).toBeUndefined();
        await bench.release(ref);
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'exited' });
        await launcher.remove(ref);
      });

      it('and takes its results whole, in the order sent', async () => {
        const sent = ['one', 'two\nlines', 'x'.repeat(60_000), 'last'];
        const handle = await launch({ results: sent });
        await followToEnd(launcher, handle);
        const output = await launcher.collect(handle, signal);
        expect(await readTexts(output.readResults(0))).toEqual(sent);
        expect(await readTexts(output.readResults(3))).toEqual(['last']);
        expect(output.droppedResults).toBe(0);
        await launcher.remove(ref);
      });

      it('and counts a result that is longer than allowed instead of taking it', async () => {
        const handle = await launch({ results: ['short', 'much too long'] }, { limits: { ...limits, resultBytes: 8 } });
        await followToEnd(launcher, handle);
        const output = await launcher.collect(handle, signal);
        expect(await readTexts(output.readResults(0))).toEqual(['short']);
        expect(output.droppedResults).toBe(1);
        await launcher.remove(ref);
      });

      it('and takes no more results than it may hand back, and counts the others', async () => {
        const few = { ...limits, resultCount: 3 };
        const handle = await launch({ results: ['1', '2', '3', '4', '5'] }, { limits: few });
        await followToEnd(launcher, handle);
        const output = await launcher.collect(handle, signal);
        expect(await readTexts(output.readResults(0))).toEqual(['1', '2', '3']);
        expect(output.droppedResults).toBe(2);
        await launcher.remove(ref);
      });

      it.each([
        ['_abaco_Content-Type', 'text/plain'],
        ['MSG', 'two\nlines with "quotes", $(echo no) and ünicode'],
        ['EMPTY', ''],
        ['with space', 'x'],
        ['BIG', 'x'.repeat(100_000)],
      ])('and gives it the variable %j', async (name, value) => {
        const { output } = await run({ showsVariable: name }, { environment: { [name]: value } });
        expect(output.log).toBe(`${value}\n`);
      });

      it('and gives it a binary message whole', async () => {
        const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));
        const open = async function* () {
          yield bytes.subarray(0, 70_000);
          yield bytes.subarray(70_000);
        };
        const handle = await launch({ showsBinaryMessage: true }, { binaryMessage: { bytes: bytes.length, open } });
        await followToEnd(launcher, handle);
        const output = await launcher.collect(handle, signal);
        expect(bytes.equals(await readBytes(output.readLog(0)))).toBe(true);
        await launcher.remove(ref);
      });

      it('and accounts for it, however short it was', async () => {
        const { output } = await run({ log: ['x'] });
        const { usage } = output;
        expect(usage?.maxMemoryBytes).toBeGreaterThan(0);
        expect(usage?.cpuMs).toBeGreaterThanOrEqual(0);
        expect(usage?.finishedAt.getTime()).toBeGreaterThanOrEqual(usage?.startedAt.getTime() ?? Number.NaN);
      });

      it('and tells when there is no such program', async () => {
        const { end } = await run({ isMissing: true });
        expect(end).toMatchObject({
          kind: 'not-started',
          exitCode: 127,
          detail: expect.stringMatching(/no such file/i),
        });
      });

      it('and ends it at its time limit', async () => {
        const { end } = await run({ holds: true }, { limits: { ...limits, timeMs: 300 } });
        expect(end).toMatchObject({ kind: 'killed', by: 'time-limit' });
      });

      it('and kills it at its time limit when it does not listen', async () => {
        const { end } = await run(
          { holds: true, ignoresTerm: true },
          // Time enough to become deaf first, also on a busy machine.
          { limits: { ...limits, timeMs: 2_000, graceMs: 200 } },
        );
        expect(end).toMatchObject({ kind: 'killed', by: 'time-limit', exitCode: 137 });
      });
    });

    describe('starts an attempt at most once', () => {
      it('when it is launched twice', async () => {
        const spec = await specFor({ holds: true });
        const first = await launcher.launch(spec, signal);
        const second = await launcher.launch(spec, signal);
        await started();
        await bench.release(ref);
        expect(await followToEnd(launcher, second)).toMatchObject({ kind: 'exited', exitCode: 0 });
        expect(second).toMatchObject({ executionId: first.executionId, attempt: 1, launcher: launcher.name });
        await launcher.remove(ref);
        expect(await bench.starts(ref)).toBe(1);
      });

      it('when two processes launch it at the same time', async () => {
        const other = await bench.open();
        const spec = await specFor({});
        const handles = await Promise.all([launcher, other, launcher].map((one) => one.launch(spec, signal)));
        const ends = await Promise.all(handles.map((handle) => followToEnd(launcher, handle)));
        expect(ends).toMatchObject(ends.map(() => ({ kind: 'exited', exitCode: 0 })));
        await launcher.remove(ref);
        await other.close();
        expect(await bench.starts(ref)).toBe(1);
      });

      it('when it is launched again after its end', async () => {
        const spec = await specFor({ exitCode: 7 });
        await followToEnd(launcher, await launcher.launch(spec, signal));
        const again = await launcher.launch(spec, signal);
        expect(await followToEnd(launcher, again)).toMatchObject({ kind: 'exited', exitCode: 7 });
        await launcher.remove(ref);
        expect(await bench.starts(ref)).toBe(1);
      });

      it('when it is launched again after its end and removal', async () => {
        const spec = await specFor({ exitCode: 7 });
        await followToEnd(launcher, await launcher.launch(spec, signal));
        await launcher.remove(ref);
        const again = await launcher.launch(spec, signal);
        expect(await followToEnd(launcher, again)).toMatchObject({ kind: 'exited', exitCode: 7 });
        expect(await bench.starts(ref)).toBe(1);
        await launcher.remove(ref);
      });

      it.each(['before-create', 'after-create', 'before-start', 'after-start'])(
        'when a launcher frozen at %s wakes after the end and the removal, whose leftover the sweep takes',
        async (point) => {
          const gate = freezeAt(point);
          const frozen = await bench.open({ checkpoint: gate.checkpoint });
          const spec = await specFor({ exitCode: 3 });
          const late = frozen.launch(spec, signal).catch((error: unknown) => error);
          await gate.reached;
          const handle = await launcher.launch(spec, signal);
          expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'exited', exitCode: 3 });
          await launcher.remove(ref);
          gate.open();
          const outcome = await late;
          if (!(outcome instanceof Error)) {
            expect(await followToEnd(frozen, outcome as LaunchHandle)).toMatchObject({ kind: 'exited', exitCode: 3 });
          }
          await launcher.sweep(async (found) => found, signal);
          expect(await bench.leftovers()).toEqual([]);
          expect(await bench.starts(ref)).toBe(1);
          await frozen.close();
        },
      );

      it('and the next attempt by itself', async () => {
        await run({});
        ref = { ...ref, attempt: 2 };
        const { end } = await run({ exitCode: 5 });
        expect(end).toMatchObject({ kind: 'exited', exitCode: 5 });
        expect(await bench.starts(ref)).toBe(1);
      });

      it('and never after its time', async () => {
        const handle = await launch({}, { notAfter: new Date(Date.now() - 10_000) });
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'lost', started: false });
        await launcher.remove(ref);
        expect(await bench.starts(ref)).toBe(0);
      });
    });

    describe('finds, without the handle,', () => {
      const find = async (one = launcher) => await one.find({ ...ref, limits }, signal);

      it('nothing of an attempt that has not started, which still may', async () => {
        expect(await find()).toBeUndefined();
        expect(await run({ exitCode: 3 })).toMatchObject({ end: { kind: 'exited', exitCode: 3 } });
      });

      it('in another process what runs, and follows it to its end', async () => {
        const { nativeId } = await launch({ holds: true, log: ['kept'], exitCode: 9 });
        await started();
        await launcher.close();
        launcher = await bench.open();
        const found = await find();
        if (!found) throw new Error('It was not found');
        expect(found).toMatchObject({ ...ref, launcher: launcher.name });
        expect([nativeId, '']).toContain(found.nativeId);
        await bench.release(ref);
        expect(await followToEnd(launcher, found)).toMatchObject({ kind: 'exited', exitCode: 9 });
        expect((await readOutput(await launcher.collect(found, signal))).log).toBe('kept\n');
        await launcher.remove(ref);
        expect(await bench.starts(ref)).toBe(1);
      });

      it('what has ended and was removed, and what never will start', async () => {
        await run({ exitCode: 4 });
        const [ended, never] = [ref, { ...ref, attempt: 2 }];
        await launcher.cancel(never, 100);
        for (const [attempt, end] of [
          [ended, { kind: 'exited', exitCode: 4 }],
          [never, { kind: 'cancelled' }],
        ] as const) {
          ref = attempt;
          const found = await find();
          expect(found && (await followToEnd(launcher, found))).toMatchObject(end);
          await launcher.remove(ref);
        }
      });
    });

    describe('cancels', () => {
      it('an attempt that has not started, so that it never will', async () => {
        expect(await launcher.cancel(ref, 100)).toBe('never-started');
        const handle = await launch({});
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'cancelled' });
        await launcher.remove(ref);
        expect(await bench.starts(ref)).toBe(0);
      });

      it.each(['before-create', 'before-start'])('an attempt whose launch stands at %s', async (point) => {
        const gate = freezeAt(point);
        const frozen = await bench.open({ checkpoint: gate.checkpoint });
        const late = frozen.launch(await specFor({}), signal);
        await gate.reached;
        expect(await launcher.cancel(ref, 100)).toBe('never-started');
        gate.open();
        expect(await followToEnd(launcher, await late)).toMatchObject({ kind: 'cancelled' });
        await launcher.remove(ref);
        await frozen.close();
        expect(await bench.starts(ref)).toBe(0);
      });

      it('a running program, which is asked to stop', async () => {
        const handle = await launch({ holds: true });
        await started();
        expect(await launcher.cancel(ref, 2_000)).toBe('stopping');
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'cancelled', exitCode: 143 });
        await launcher.remove(ref);
      });

      it('a program that does not listen, by killing it after the grace time', async () => {
        const handle = await launch({ holds: true, ignoresTerm: true }, { limits: { ...limits, graceMs: 200 } });
        await started();
        await launcher.cancel(ref, 200);
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'cancelled', exitCode: 137 });
        await launcher.remove(ref);
      });

      it('twice, the second time without effect', async () => {
        const handle = await launch({ holds: true });
        await started();
        expect(await Promise.all([launcher.cancel(ref, 500), launcher.cancel(ref, 500)])).toEqual([
          'stopping',
          'stopping',
        ]);
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'cancelled' });
        expect(await launcher.cancel(ref, 500)).toBe('stopping');
        await launcher.remove(ref);
        expect(await launcher.cancel(ref, 500)).toBe('stopping');
      });
    });

    describe('watches', () => {
      it('by a handle that went through JSON to another process', async () => {
        const handle = await launch({ holds: true, log: ['kept'], exitCode: 9 });
        await started();
        await launcher.close();
        launcher = await bench.open();
        const kept = JSON.parse(JSON.stringify(handle)) as LaunchHandle;
        const events = follow(launcher, kept);
        await bench.release(ref);
        expect(afterQueue(await events)).toMatchObject([{ kind: 'running' }, { kind: 'exited', exitCode: 9 }]);
        expect((await readOutput(await launcher.collect(kept, signal))).log).toBe('kept\n');
        await launcher.remove(ref);
      });

      it('what ended while nobody watched', async () => {
        const handle = await launch({ exitCode: 4 });
        await launcher.close();
        await started();
        launcher = await bench.open();
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'exited', exitCode: 4 });
        await launcher.remove(ref);
      });

      it('what vanished while it ran, and says that it is lost', async () => {
        const handle = await launch({ holds: true });
        await started();
        const end = followToEnd(launcher, handle);
        await bench.vanish(ref);
        const { kind, ...rest } = await end;
        // An engine may still have seen the kill that took it away.
        expect({ kind, ...rest }).toMatchObject(
          kind === 'exited' ? { exitCode: 137 } : { kind: 'lost', started: true },
        );
        await launcher.remove(ref);
      });

      it('what had vanished before, and says that it is lost', async () => {
        const handle = await launch({ holds: true });
        await started();
        await bench.vanish(ref);
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'lost', started: true });
        await launcher.remove(ref);
      });

      it('what vanished before it started, and says that it never will', async () => {
        const handle: LaunchHandle = { ...ref, launcher: launcher.name, nativeId: 'nothing', version: 1, state: {} };
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'lost', started: false });
        const again = await launch({});
        expect(await followToEnd(launcher, again)).toMatchObject({ kind: 'lost', started: false });
        expect(await bench.starts(ref)).toBe(0);
        await launcher.remove(ref);
      });

      it('no longer than its signal lets it', async () => {
        const handle = await launch({ holds: true });
        await started();
        const leaving = new AbortController();
        const events: LaunchEvent[] = [];
        for await (const event of launcher.watch(handle, leaving.signal)) {
          if (event.kind === 'queued') continue;
          events.push(event);
          leaving.abort();
        }
        expect(events).toMatchObject([{ kind: 'running' }]);
        await bench.release(ref);
        await followToEnd(launcher, handle);
        await launcher.remove(ref);
      });
    });

    describe('removes', () => {
      it('twice, the second time without effect', async () => {
        await run({});
        await launcher.remove(ref);
        await launcher.remove({ ...ref, executionId: 'neverlaunched' });
        expect(await bench.leftovers()).toEqual([]);
      });

      it('so that nothing can be collected, and that is no error', async () => {
        const handle = await launch({ log: ['x'], results: ['y'] });
        await followToEnd(launcher, handle);
        await launcher.remove(ref);
        const output = await launcher.collect(handle, signal);
        expect(await readOutput(output)).toMatchObject({ log: '', results: [] });
      });

      it('nothing of another installation', async () => {
        const other = await bench.open({ installation: 'second' });
        const handle = await launch({ holds: true });
        await started();
        await other.cancel(ref, 100);
        await other.remove(ref);
        expect(await other.sweep(async (found) => found, signal)).toEqual([]);
        await bench.release(ref);
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'exited', exitCode: 0 });
        await launcher.remove(ref);
        await other.close();
      });

      it('by a sweep what is not live, and nothing else', async () => {
        const handle = await launch({ holds: true });
        const live = ref;
        ref = { ...ref, attempt: 2 };
        await followToEnd(launcher, await launch({}));
        const swept = await launcher.sweep(async (found) => found.filter(({ attempt }) => attempt !== 1), signal);
        expect(swept).toEqual([ref]);
        ref = live;
        await bench.release(ref);
        expect(await followToEnd(launcher, handle)).toMatchObject({ kind: 'exited', exitCode: 0 });
        await launcher.remove(ref);
      });
    });

    describe('keeps the word on a start', () => {
      it('past the time it could be made in, while its attempt lives, and no longer', async () => {
        const over = new Date(Date.now() - 7_200_000);
        const [live, dead] = [ref, { ...ref, executionId: `${ref.executionId}x` }];
        for (ref of [dead, live]) {
          await followToEnd(launcher, await launch({}, { notAfter: over }));
          await launcher.remove(ref);
        }
        await launcher.sweep(
          async (found) => found.filter(({ executionId }) => executionId !== live.executionId),
          signal,
        );
        expect(await followToEnd(launcher, await launch({}))).toMatchObject({ kind: 'lost', started: false });
        await launcher.remove(ref);
        ref = dead;
        expect(await run({})).toMatchObject({ end: { kind: 'exited' } });
        expect([await bench.starts(live), await bench.starts(dead)]).toEqual([0, 1]);
      });
    });

    it('refuses what is not the name of an image', async () => {
      await expect(launcher.prepare({ name: 'Not An Image' }, signal)).rejects.toMatchObject({ code: 'image.invalid' });
    });

    it('pins an image to a digest, and finds it again by that', async () => {
      const pinned = await launcher.prepare({ name: bench.image }, signal);
      expect(pinned.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(await launcher.prepare({ name: bench.image, digest: pinned.digest }, signal)).toEqual(pinned);
    });

    it('says that it is well', async () => {
      const health = await launcher.probe(signal);
      expect(health.checks.filter((check) => !check.ok)).toEqual([]);
      expect(health.ok).toBe(true);
    });

    it('refuses an execution id that could lead to another directory', async () => {
      const spec = await specFor({}, { executionId: '../../etc' });
      await expect(launcher.launch(spec, signal)).rejects.toMatchObject({ code: 'request.invalid' });
    });
  });
}

interface Gate {
  readonly checkpoint: (point: string) => Promise<void>;
  readonly reached: Promise<void>;
  open(): void;
}

/** Holds a launcher at a named point until it is let go, as a stopped process is held. */
function freezeAt(wanted: string): Gate {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const checkpoint = async (point: string) => {
    if (point !== wanted) return;
    reached.resolve();
    await opened.promise;
  };
  return { checkpoint, reached: reached.promise, open: () => opened.resolve() };
}
