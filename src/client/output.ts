/** How answers are shown: a table on a terminal, aligned plain text in a pipe, JSON when asked. */

import Table from 'cli-table3';
import type { Colors, Screen } from './screen.ts';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers stand at the right. */
  readonly isNumber?: boolean;
  /** Colours the text, on a terminal. */
  readonly paint?: (text: string, row: Row, colors: Colors) => string;
}

/** Ends with a line break. A table without rows is its heading alone. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  screen: Pick<Screen, 'isTerminal' | 'colors'>,
): string {
  return screen.isTerminal ? renderForEyes(columns, rows, screen.colors) : renderPlain(columns, rows);
}

export function renderJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** "340 ms", "1.2 s", "3m 12s", "2h 05m". */
export function renderSpan(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${twoDigits(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
}

/** "512 B", "1.4 MiB". */
export function renderBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

/** To the second, in UTC, as logs and answers have it. */
export function renderTime(time: Date | undefined): string {
  return time === undefined ? '-' : `${time.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

const twoDigits = (count: number): string => String(count).padStart(2, '0');

function renderPlain<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const texts = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ text }) => oneLine(text(row)))),
  ];
  const widths = columns.map((_, index) => Math.max(...texts.map((line) => line[index]?.length ?? 0)));
  const lines = texts.map((line) => line.map((text, index) => pad(text, widths[index] ?? 0, columns[index]?.isNumber)));
  return lines.map((line) => `${line.join('  ').trimEnd()}\n`).join('');
}

function renderForEyes<Row>(columns: readonly Column<Row>[], rows: readonly Row[], colors: Colors): string {
  const table = new Table({
    head: columns.map(({ title }) => colors.bold(title)),
    colAligns: columns.map(({ isNumber }) => (isNumber ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: frameOf(colors),
  });
  for (const row of rows) {
    table.push(columns.map(({ text, paint = (plain) => plain }) => paint(oneLine(text(row)), row, colors)));
  }
  return `${table.toString()}\n`;
}

/** The usual frame, drawn faintly. */
function frameOf(colors: Colors): Record<string, string> {
  const frame = {
    top: '─',
    'top-mid': '┬',
    'top-left': '╭',
    'top-right': '╮',
    bottom: '─',
    'bottom-mid': '┴',
    'bottom-left': '╰',
    'bottom-right': '╯',
    left: '│',
    'left-mid': '├',
    mid: '─',
    'mid-mid': '┼',
    right: '│',
    'right-mid': '┤',
    middle: '│',
  };
  return Object.fromEntries(Object.entries(frame).map(([place, line]) => [place, colors.dim(line)]));
}

/** What others wrote must not break a table, or steer the terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}

function pad(text: string, width: number, isNumber = false): string {
  return isNumber ? text.padStart(width) : text.padEnd(width);
}
