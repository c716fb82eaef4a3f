/**
 * Reading what `squeue` prints in columns, and `sacct` where it has no JSON. What parts the columns is drawn anew for each
 * question: the name of a job is whatever its user wants, line breaks too, and would else be a row of another job. It comes
 * last all the same, so that the worst it can do is to be cut short.
 */

import { randomBytes } from 'node:crypto';
import { LauncherError } from '../../../src/errors.ts';

/**
 * The "unit separator", which can hardly be typed, and what nobody knew when jobs were given their names. No digit comes
 * first, as that would be the width of a column of `squeue`, and no comma at all, as that would end it.
 */
export function drawSeparator(): string {
  return `\u001f${randomBytes(6).toString('base64url')}`;
}

export interface Table {
  readonly columns: readonly string[];
  readonly separator: string;
}

export type Row = (column: string) => string;

/** Rows with a value for each column; a row with fewer is the rest of a name with a line break in it. */
export function readRows(program: string, { columns, separator }: Table, text: string): readonly Row[] {
  const lines = text.split('\n').filter((line) => line !== '');
  const rows = lines.map((line) => line.split(separator)).filter((values) => values.length >= columns.length);
  if (rows.length === 0 && lines.length > 0) {
    const message = `${program} answered no rows: ${JSON.stringify(text.slice(0, 200))}`;
    throw new LauncherError('host.command_failed', message);
  }
  return rows.map((values) => (column) => values[columns.indexOf(column)]?.trim() ?? '');
}

/** "2026-11-25T03:09:30", in the time zone the command was given: UTC. */
export function timeInText(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return undefined;
  const time = new Date(`${text}Z`);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** "[[days-]hours:]minutes:seconds[.fraction]" */
export function durationInText(text: string): number {
  const found = /^(?:(?:(\d{1,6})-)?(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,6})?)$/.exec(text);
  if (!found) return 0;
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = found;
  return Math.round(((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000);
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1_024,
  M: 1_048_576,
  G: 1_073_741_824,
  T: 1_099_511_627_776,
};

/** "1234K"; nothing for what is no size. */
export function sizeInText(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?)([KMGT]?)$/.exec(text) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * (units[unit] ?? 1));
}

/** "0-2,5,8-10:2%4", as Slurm writes the elements that still wait. More than `most` is nobody's. */
export function elementsIn(text: string, most = 100_000): readonly number[] {
  const elements: number[] = [];
  for (const part of text.replace(/%.*$/, '').split(',')) {
    const [, first, last = first, step = '1'] = /^(\d{1,7})(?:-(\d{1,7})(?::(\d{1,7}))?)?$/.exec(part.trim()) ?? [];
    if (first === undefined) continue;
    for (let at = Number(first); at <= Number(last) && elements.length < most; at += Math.max(1, Number(step))) {
      elements.push(at);
    }
  }
  return elements;
}
