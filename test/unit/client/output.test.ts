import { describe, expect, it } from 'vitest';
import { type Column, renderBytes, renderSpan, renderTable, renderTime } from '../../../src/client/output.ts';
import { createMemoryScreen } from '../../support/memory-screen.ts';

interface Row {
  readonly name: string;
  readonly size: number;
}

const columns: readonly Column<Row>[] = [
  { title: 'name', text: ({ name }) => name },
  { title: 'size', text: ({ size }) => String(size), isNumber: true },
  { title: 'note', text: () => '' },
];
const rows = [
  { name: 'a', size: 1000 },
  { name: 'longer', size: 7 },
];

describe('renderTable', () => {
  it('aligns plain text in a pipe, numbers at the right, no blanks at the end', () => {
    expect(renderTable(columns, rows, createMemoryScreen())).toBe('name    size  note\na       1000\nlonger     7\n');
  });

  it('draws a frame on a terminal', () => {
    const table = renderTable(columns.slice(0, 2), rows, createMemoryScreen({ isTerminal: true }));
    expect(table).toBe(
      [
        '╭────────┬──────╮',
        '│ name   │ size │',
        '├────────┼──────┤',
        '│ a      │ 1000 │',
        '│ longer │    7 │',
        '╰────────┴──────╯',
        '',
      ].join('\n'),
    );
  });

  it('is its heading alone where there are no rows', () => {
    expect(renderTable(columns, [], createMemoryScreen())).toBe('name  size  note\n');
  });

  it('keeps control characters of others away from the terminal', () => {
    const table = renderTable(columns, [{ name: 'a\n\u001b[31mb', size: 1 }], createMemoryScreen());
    expect(table.split('\n')[1]).toBe('a [31mb     1');
  });
});

describe('renderSpan', () => {
  it.each([
    [undefined, '-'],
    [0, '0 ms'],
    [340.4, '340 ms'],
    [1_000, '1.0 s'],
    [59_949, '59.9 s'],
    [59_999, '1m 00s'],
    [192_000, '3m 12s'],
    [7_500_000, '2h 05m'],
  ])('writes %s as %s', (ms, text) => {
    expect(renderSpan(ms)).toBe(text);
  });
});

describe('renderBytes', () => {
  it.each([
    [undefined, '-'],
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1.5 * 1024 ** 2, '1.5 MiB'],
    [3 * 1024 ** 5, '3072.0 TiB'],
  ])('writes %s as %s', (bytes, text) => {
    expect(renderBytes(bytes)).toBe(text);
  });
});

describe('renderTime', () => {
  it('is UTC to the second', () => {
    expect(renderTime(new Date('2026-05-01T14:45:41.591Z'))).toBe('2026-05-01 14:45:41Z');
    expect(renderTime(undefined)).toBe('-');
  });
});
