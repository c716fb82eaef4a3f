/** Many attempts read in few rounds. The files are a map here, since rounds are counted. */

import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileRead, Host } from '../../../../launchers/host/host.ts';
import { createLocalHost } from '../../../../launchers/host/local-host.ts';
import { readTogether } from '../../../../launchers/host/read-together.ts';
import { createRunReader } from '../../../../launchers/host/run-reader.ts';
import { ForbiddenError } from '../../../../src/errors.ts';
import { makeTestDirectory } from '../../../support/test-directory.ts';

function playHost() {
  const files = new Map<string, Buffer>();
  const denied = new Set<string>();
  const rounds: number[] = [];
  const host = {
    async readMany(reads: readonly FileRead[]) {
      rounds.push(reads.length);
      await new Promise((resolve) => setImmediate(resolve));
      return reads.map(({ path, offset, length }) => {
        if (denied.has(path)) throw new ForbiddenError('host.file_denied', `not allowed: ${path}`);
        const bytes = files.get(path);
        return bytes && { bytes: bytes.subarray(offset, offset + length), size: bytes.byteLength };
      });
    },
  };
  return { files, denied, rounds, host: readTogether(host as unknown as Host) };
}

const frame = (text: string): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([head, Buffer.from(text)]);
};
const limits = { logBytes: 1_000_000, resultTotalBytes: 1_000_000, resultCount: 1_000 };
const dropped = Buffer.from('ffffffff00000010', 'hex');

async function all(chunks: AsyncIterable<Uint8Array>): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const chunk of chunks) texts.push(Buffer.from(chunk).toString());
  return texts;
}

const ref = (index: number) => ({ executionId: `e${index}`, attempt: 1 });
const pathOf = ({ executionId }: { readonly executionId: string }): string => `/run/${executionId}`;

describe('the output of what runs', () => {
  it('of two hundred attempts is one round for a look, with all that is new of each', async () => {
    const { files, rounds, host } = playHost();
    const reader = createRunReader(host, pathOf);
    const refs = Array.from({ length: 200 }, (_, index) => ref(index));
    for (const each of refs) files.set(`${pathOf(each)}/log`, Buffer.from(each.executionId.padEnd(10, '.')));
    const look = async (offset: number, from: number) =>
      await Promise.all(
        refs.map(async (each) => {
          const output = await reader.look(each, limits);
          return [(await all(output.readLog(offset))).join(''), await all(output.readResults(from))] as const;
        }),
      );
    const first = await look(0, 0);
    expect(first[7]).toEqual(['e7........', []]);
    expect(rounds).toEqual([400]);
    files.set('/run/e7/results', Buffer.concat([frame('one'), dropped, frame('two')]));
    expect((await look(10, 0))[7]).toEqual(['', ['one', 'two']]);
    expect((await look(10, 2))[7]).toEqual(['', []]);
    expect(rounds).toEqual([400, 400, 400]);
  });

  it('goes on where it stopped, without reading what was read', async () => {
    const { files, host } = playHost();
    const asked: FileRead[] = [];
    const counting = {
      ...host,
      readMany: async (reads: readonly FileRead[]) => {
        asked.push(...reads);
        return await host.readMany(reads);
      },
    };
    const reader = createRunReader(counting, pathOf);
    files.set('/run/e1/log', Buffer.alloc(300_000, 'x'));
    files.set('/run/e1/results', Buffer.concat([frame('a'), frame('b')]));
    const output = await reader.look(ref(1), limits);
    expect((await all(output.readLog(0))).join('')).toHaveLength(300_000);
    expect(await all(output.readResults(0))).toEqual(['a', 'b']);
    asked.length = 0;
    const again = await reader.look(ref(1), limits);
    expect(asked.map(({ offset }) => offset)).toEqual([300_000, 10]);
    // A reader that could not keep the last one asks for it again.
    expect(await all(again.readResults(1))).toEqual(['b']);
    expect(await all(again.readResults(0))).toEqual(['a', 'b']);
  });

  it('leaves a result that is still being written for the next look', async () => {
    const { files, host } = playHost();
    const reader = createRunReader(host, pathOf);
    files.set('/run/e1/results', frame('whole').subarray(0, 6));
    expect(await all((await reader.look(ref(1), limits)).readResults(0))).toEqual([]);
    files.set('/run/e1/results', frame('whole'));
    expect(await all((await reader.look(ref(1), limits)).readResults(0))).toEqual(['whole']);
  });

  it('is whole once all that the end record tells of is there', async () => {
    const { files, host } = playHost();
    const reader = createRunReader(host, pathOf);
    const told = { logBytes: 4, results: 2 };
    expect(await reader.isWhole(ref(1), limits, told)).toBe(false);
    files.set('/run/e1/log', Buffer.from('late'));
    files.set('/run/e1/results', Buffer.concat([frame('a'), dropped]));
    expect(await reader.isWhole(ref(1), limits, told)).toBe(false);
    files.set('/run/e1/results', Buffer.concat([frame('a'), dropped, frame('b')]));
    expect(await reader.isWhole(ref(1), limits, told)).toBe(true);
    const output = await reader.look(ref(1), limits);
    expect(await all(output.readResults(0))).toEqual(['a', 'b']);
  });

  it('is read no further than its limits, however long its program made the files', async () => {
    await using directory = await makeTestDirectory('run-reader');
    const reader = createRunReader(createLocalHost({ scratchRoots: [] }), () => directory.path);
    const paths = { log: join(directory.path, 'log'), results: join(directory.path, 'results') };
    await writeFile(paths.log, 'said');
    await writeFile(paths.results, Buffer.concat([frame('a'), dropped, frame('b')]));
    for (const path of Object.values(paths)) await truncate(path, 1e12);
    const output = await reader.look(ref(1), limits);
    expect(output.logBytes).toBe(1_000_000);
    expect((await all(output.readLog(0))).join('')).toBe('said'.padEnd(1_000_000, '\0'));
    expect(await all(output.readResults(0))).toEqual(['a', 'b']);
    // Nor is it by a look that goes on behind them.
    const again = await reader.look(ref(1), limits);
    expect(await all(again.readLog(1_000_000))).toEqual([]);
    expect(await all(again.readResults(2))).toEqual([]);
    expect(await reader.isWhole(ref(1), limits, { logBytes: 4, results: 2 })).toBe(true);
  });

  it('has no more results than there may be, from wherever they are read', async () => {
    const { files, host } = playHost();
    const reader = createRunReader(host, pathOf);
    files.set('/run/e1/results', Buffer.concat([frame('a'), dropped, ...Array<Buffer>(20).fill(frame('b'))]));
    const few = { ...limits, resultCount: 4 };
    expect(await all((await reader.look(ref(1), few)).readResults(0))).toEqual(['a', 'b', 'b']);
    expect(await all((await reader.look(ref(1), few)).readResults(2))).toEqual(['b']);
    const short = { ...limits, resultTotalBytes: 20 };
    expect(await all((await createRunReader(host, pathOf).look(ref(1), short)).readResults(0))).toEqual(['a', 'b']);
  });

  it('that may not be read is the trouble of its own attempt, and of no other', async () => {
    const { files, denied, host } = playHost();
    const reader = createRunReader(host, pathOf);
    files.set('/run/e1/log', Buffer.from('mine'));
    denied.add('/run/e2/log');
    const [mine, other] = await Promise.allSettled([reader.look(ref(1), limits), reader.look(ref(2), limits)]);
    expect(mine).toMatchObject({ status: 'fulfilled', value: { logBytes: 4 } });
    expect(other).toMatchObject({ status: 'rejected', reason: { code: 'host.file_denied' } });
  });
});
