import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type BatchLine, holdsJson, mostInBatch, openSource, readBatches } from '../../../src/client/batch-lines.ts';

async function read(
  pieces: readonly (string | Uint8Array)[],
  isJson = false,
): Promise<readonly (readonly BatchLine[])[]> {
  const source = Readable.from(pieces.map((piece) => Buffer.from(piece)));
  return await Array.fromAsync(readBatches(source, isJson));
}

describe('readBatches', () => {
  it('takes each line for a text, whatever is in it, and passes over those that are empty', async () => {
    expect(await read(['{"a": 1}\n\n  x \r\n', 'la', 'st \u2028"'])).toEqual([
      [
        { line: 1, message: '"{\\"a\\": 1}"' },
        { line: 3, message: '"  x "' },
        { line: 4, message: JSON.stringify('last \u2028"') },
      ],
    ]);
  });

  it('hands JSON on as it was written, and says which line is none', async () => {
    const lines = ['\uFEFF{"n": 12345678901234567890.10}\n', '"text"\r\n \n[1', ',"\u2028"]\n{"a":\nnull'];
    expect(await read(lines, true)).toEqual([
      [
        { line: 1, message: '{"n": 12345678901234567890.10}' },
        { line: 2, message: '"text"' },
        { line: 4, message: '[1,"\u2028"]' },
        { line: 5, fault: { code: 'request.invalid', message: 'The line is not JSON' } },
        { line: 6, message: 'null' },
      ],
    ]);
  });

  it('puts characters together that were read in pieces, and says which line is no text', async () => {
    expect(await read([Uint8Array.of(0xc3), Uint8Array.of(0xa4, 10, 0xff, 10)])).toEqual([
      [
        { line: 1, message: '"ä"' },
        { line: 2, fault: { code: 'request.invalid', message: 'The line is not UTF-8' } },
      ],
    ]);
  });

  it('begins another batch where one request takes no more messages', async () => {
    const batches = await read(['x\n'.repeat(2 * mostInBatch + 1)]);
    expect(batches.map((batch) => batch.length)).toEqual([mostInBatch, mostInBatch, 1]);
    expect(batches[2]?.[0]?.line).toBe(2 * mostInBatch + 1);
  });

  it('begins another batch where one request takes no more bytes, and refuses what fits into none', async () => {
    const large = 'x'.repeat(3 * 1024 * 1024);
    const batches = await read([`${large}\n${large}\n${large}\n${large}${large}${large}\n`]);
    expect(batches.map((batch) => batch.map(({ line }) => line))).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(batches[1]?.[1]).toMatchObject({ fault: { message: 'The line is longer than any message' } });
  });
});

describe('openSource', () => {
  it('says which file is not there', async () => {
    const source = openSource('/no/such', Readable.from([]), new AbortController().signal);
    await expect(Array.fromAsync(source)).rejects.toThrow(/^File "\/no\/such" cannot be sent: ENOENT/);
  });

  it('stops reading standard input when it is told to', async () => {
    const leaving = new AbortController();
    const reading = Array.fromAsync(openSource('-', new Readable({ read: () => leaving.abort() }), leaving.signal));
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });
});

it.each([
  ['a.jsonl', true],
  ['b/A.NDJSON', true],
  ['a.json', false],
  ['-', false],
])('%s holds JSON: %s', (file, expected) => {
  expect(holdsJson(file)).toBe(expected);
});
