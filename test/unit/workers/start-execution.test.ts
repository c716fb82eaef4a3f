import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InvalidError, LauncherError, QuotaError, UnavailableError, UnknownOutcomeError } from '../../../src/errors.ts';
import { openRunBench, type RunBench } from '../../support/run-bench.ts';
import { until } from '../../support/until.ts';

let bench: RunBench;

beforeEach(async () => {
  bench = await openRunBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

describe('an execution that was taken just now', () => {
  const full = new QuotaError('host.disk_full', 'The disk is full');
  const cut = new UnknownOutcomeError('host.unknown_outcome', 'Host login was cut off');
  const away = new UnavailableError('host.unavailable', 'The agent of "alice" does not start');
  const bad = new InvalidError('image.invalid', 'It is no image');

  /** Fails with these, one after the other, before the image is there. */
  const prepareAfter = (...troubles: readonly Error[]): void => {
    const left = [...troubles];
    const before = { ...bench.launcher };
    bench.launcher.prepare = async (image, signal, tell) => {
      const trouble = left.shift();
      if (trouble) throw trouble;
      return await before.prepare(image, signal, tell);
    };
  };

  it('waits for its image by itself where only it is in trouble that may pass, and its actor is left alone', async () => {
    prepareAfter(full, cut, away);
    await bench.release();
    expect(await bench.run({ isFresh: true, isTrusted: true })).toBe('settled');
    expect(bench.waits.map(({ cause }) => cause)).toEqual([full, cut, away].map(({ message }) => message));
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
    expect(bench.steps.join()).not.toMatch(/error|give back/);
  });

  it('waits for its image by itself where nothing is said against it, also what is no error of ours', async () => {
    const troubles = [new LauncherError('host.file_failed', 'The file system is stale'), new Error('aborted')];
    prepareAfter(...troubles);
    await bench.release();
    expect(await bench.run({ isFresh: true })).toBe('settled');
    expect(bench.waits.map(({ cause }) => cause)).toEqual(troubles.map(({ message }) => message));
    expect(bench.settled).toMatchObject([{ end: 'exited', exitCode: 7 }]);
    expect(bench.steps.join()).not.toMatch(/error|give back/);
  });

  it('goes back where its launcher is closed for all', async () => {
    prepareAfter(away);
    expect(await bench.run({ isFresh: true })).toBe('given-back');
    expect(bench.waits).toMatchObject([{ cause: away.message }]);
    expect(bench.steps).toEqual(['give back']);
  });

  it('goes back where its image is bad, of which its actor is told', async () => {
    prepareAfter(bad);
    expect(await bench.run({ isFresh: true })).toBe('given-back');
    expect(bench.steps).toEqual(['error 3: It is no image', 'give back']);
  });

  it('is ended by its owner while its image cannot be had', async () => {
    prepareAfter(...Array.from({ length: 100 }, () => full));
    const outcome = bench.run({ isFresh: true });
    await until(() => bench.waits.length > 0);
    bench.cancelled.abort();
    expect(await outcome).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'cancelled' }]);
  });

  it('is ended by its owner while its image is built, and the build goes on for others', async () => {
    let building: AbortSignal | undefined;
    bench.launcher.prepare = async (_, signal) => {
      building = signal;
      return await new Promise<never>(() => undefined);
    };
    const outcome = bench.run({ isFresh: true });
    await until(() => building !== undefined);
    bench.cancelled.abort();
    expect(await outcome).toBe('settled');
    expect(bench.settled).toMatchObject([{ end: 'cancelled' }]);
    expect(building?.aborted).toBe(false);
    expect(bench.steps.join()).not.toMatch(/error|give back/);
  });

  it('says what is done to have its image, where it has to be made again', async () => {
    const before = { ...bench.launcher };
    bench.launcher.prepare = async (image, signal, tell) => {
      tell?.('Image "x" is being built for this cluster');
      return await before.prepare(image, signal, tell);
    };
    await bench.release();
    expect(await bench.run({ isFresh: true })).toBe('settled');
    expect(bench.waits).toMatchObject([
      {
        cause: 'Image "x" is being built for this cluster',
        owner: 'service',
        next: 'It starts once the image is there',
      },
    ]);
  });
});
