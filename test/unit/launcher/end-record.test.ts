import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEndRecord, toldByRecord } from '../../../src/launcher/end-record.ts';

/** As `native/README.md` has it. */
const lines = [
  'version 1',
  'owner 5f0c0a@3b1f2a',
  'reason exited',
  'exit-code 0',
  'signal 0',
  'started-ms 1763881377123',
  'finished-ms 1763881378456',
  'cpu-ms 12',
  'max-rss-bytes 1048576',
  'read-bytes 512',
  'written-bytes 1024',
  'log-bytes 100',
  'log-total-bytes 123',
  'results 2',
  'dropped-results 1',
  'detail log could not be kept: No space left on device',
];
const render = (text: readonly string[]): string => `${text.join('\n')}\n`;
const without = (key: string): string => render(lines.filter((line) => !line.startsWith(`${key} `)));
const withLine = (line: string): string =>
  render(lines.map((each) => (each.split(' ')[0] === line.split(' ')[0] ? line : each)));

describe('an end record', () => {
  it('is read field by field', () => {
    expect(parseEndRecord(render(lines))).toEqual({
      owner: '5f0c0a@3b1f2a',
      reason: 'exited',
      exitCode: 0,
      signal: 0,
      startedAt: new Date(1_763_881_377_123),
      finishedAt: new Date(1_763_881_378_456),
      cpuMs: 12,
      maxMemoryBytes: 1_048_576,
      readBytes: 512,
      writtenBytes: 1_024,
      logBytes: 100,
      logTotalBytes: 123,
      results: 2,
      droppedResults: 1,
      detail: 'log could not be kept: No space left on device',
    });
  });

  it('gives the usage of its program', () => {
    const record = parseEndRecord(render(lines));
    expect(record && toldByRecord(record).usage).toEqual({
      startedAt: new Date(1_763_881_377_123),
      finishedAt: new Date(1_763_881_378_456),
      cpuMs: 12,
      maxMemoryBytes: 1_048_576,
      readBytes: 512,
      writtenBytes: 1_024,
    });
  });

  it('may have an empty detail, and lines that a later version adds', () => {
    expect(parseEndRecord(render([...lines.slice(0, -1), 'detail ']))?.detail).toBe('');
    expect(parseEndRecord(render([...lines, 'energy-joules 7']))).toBeDefined();
  });

  it.each(lines.slice(0, -1).map((line) => line.split(' ')[0] ?? ''))('is none without its line %s', (key) => {
    expect(parseEndRecord(without(key))).toBeUndefined();
  });

  it.each([
    'version 2',
    'owner ',
    'reason vanished',
    'exit-code 256',
    'exit-code -1',
    'exit-code 1e2',
    'signal ',
    'cpu-ms 1.5',
    'started-ms 99999999999999999999',
    'results NaN',
    'log-bytes 12 ',
    'exit-code 0\r',
  ])('is none with the line "%s"', (line) => {
    expect(parseEndRecord(withLine(line))).toBeUndefined();
  });

  it('is never half a record, wherever a file was cut off', () => {
    const text = render(lines);
    const detail = text.indexOf('\ndetail');
    fc.assert(
      fc.property(fc.nat({ max: detail - 1 }), (length) => {
        const record = parseEndRecord(text.slice(0, length));
        // The last number alone may lose digits; the file is renamed into its place whole.
        expect(record === undefined || length > text.indexOf('\ndropped-results')).toBe(true);
      }),
    );
  });

  it('is nothing or a whole one for any text a program may leave there', () => {
    const line = fc.oneof(
      fc.constantFrom(...lines),
      fc
        .tuple(fc.constantFrom(...lines.map((each) => each.split(' ')[0] ?? '')), fc.string())
        .map((pair) => pair.join(' ')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 3 }), (more) => {
        const record = parseEndRecord(render([...lines, ...more]));
        const isWhole =
          record === undefined ||
          (record.exitCode >= 0 && record.exitCode <= 255 && !Number.isNaN(+record.startedAt + +record.finishedAt));
        expect(isWhole).toBe(true);
      }),
    );
  });
});
