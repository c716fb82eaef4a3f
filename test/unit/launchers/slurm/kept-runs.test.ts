/** The worker's removal and the sweep's of the same run directory, beside one another, on real files. */

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../../../launchers/host/host.ts';
import { createHostRuns } from '../../../../launchers/host/host-runs.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { createKeptRuns } from '../../../../launchers/slurm/kept-runs.ts';
import { files } from '../../../../src/launcher/run-directory.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

const ref = { executionId: 'e1', attempt: 1 };
const { signal } = new AbortController();

async function makeBench() {
  const directory = await makeTestDirectory('kept-runs');
  const host = createLocalHost({ scratchRoots: [directory.path] });
  const [run, kept] = [join(directory.path, 'run', 'e1-1'), join(directory.path, 'kept')];
  /** @param changes - what its host does otherwise. */
  const removerWith = (changes: Partial<Host>) => {
    const slowed = { ...host, ...changes };
    return createKeptRuns({
      host: slowed,
      runs: createHostRuns(slowed, join(directory.path, 'run')),
      directory: kept,
      keepMs: 1,
    });
  };
  const makeRun = async (name: string): Promise<void> => {
    await mkdir(join(run, 'scratch'), { recursive: true });
    await writeFile(join(run, files.environment), 'token');
    await writeFile(join(run, 'scratch', name), '');
  };
  return {
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    host,
    run,
    kept: join(kept, 'e1-1'),
    removerWith,
    makeRun,
  };
}

describe('a run directory that is to be kept', () => {
  it('is moved away without its secrets, and again is a no-op', async () => {
    await using bench = await makeBench();
    const remover = bench.removerWith({});
    await bench.makeRun('data');
    await remover.mark(ref);
    await remover.remove(ref, signal);
    await remover.remove(ref, signal);
    expect(await readdir(bench.kept)).toEqual(['keep', 'scratch']);
    expect(await bench.host.list(bench.run)).toBeUndefined();
  });

  it.each(['readMany', 'removeTree', 'makeDirectory', 'run'] as const)(
    'stays where it is kept when another remover was done before the "%s" of this one',
    async (call) => {
      await using bench = await makeBench();
      const remover = bench.removerWith({});
      await bench.makeRun('data');
      await remover.mark(ref);
      let others = 0;
      const overtaken = async (...args: unknown[]): Promise<unknown> => {
        const answer = call === 'readMany' ? await bench.host.readMany(args[0] as never) : undefined;
        if ((others += 1) === 1) await remover.remove(ref, signal);
        return answer ?? (await (bench.host[call] as (...each: unknown[]) => Promise<unknown>)(...args));
      };
      await bench.removerWith({ [call]: overtaken }).remove(ref, signal);
      expect(await readdir(join(bench.kept, 'scratch'))).toEqual(['data']);
      expect(await bench.host.list(bench.run)).toBeUndefined();
    },
  );

  it('is the first one, when a launch that came late has made it again', async () => {
    await using bench = await makeBench();
    const remover = bench.removerWith({});
    for (const name of ['data', 'late']) {
      await bench.makeRun(name);
      await remover.mark(ref);
      await remover.remove(ref, signal);
    }
    expect(await readdir(join(bench.kept, 'scratch'))).toEqual(['data']);
    expect(await bench.host.list(bench.run)).toBeUndefined();
  });

  it('stays where it was, and the removal fails, when it cannot be moved', async () => {
    await using bench = await makeBench();
    await bench.makeRun('data');
    const refused = async (): Promise<never> => {
      throw new Error('mv ended with 1');
    };
    const remover = bench.removerWith({ run: refused });
    await remover.mark(ref);
    await expect(remover.remove(ref, signal)).rejects.toThrow('mv ended with 1');
    expect(await readdir(join(bench.run, 'scratch'))).toEqual(['data']);
  });
});
