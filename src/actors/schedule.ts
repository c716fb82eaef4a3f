/**
 * When an actor gets a message by itself (contract §12): a start, and a step of whole hours, days, weeks or months after
 * it. UTC, and nothing finer than an hour. Pure: the time is given.
 *
 * Months go by the calendar from one time to the next: a month after 31 January is the last day of February, and a month
 * after that the same day of March.
 */

import { InvalidError } from '../errors.ts';

type Unit = 'hour' | 'day' | 'week' | 'month';

export interface Schedule {
  /** Nothing is `now`: the hour in which it was set. */
  readonly start?: Date;
  readonly count: number;
  readonly unit: Unit;
}

const hourMs = 3_600_000;

/** More makes no difference within the time a service lives, and every sum of it is still a date. */
const mostSteps = 100_000;

/** A longer text is none, and is not searched for one. */
const mostCharacters = 100;

const shape = /^(.+?)\s*\+\s*(\d{1,9})\s+([A-Za-z]+)$/;
const dateShape = /^(\d{4})-(\d{1,2})-(\d{1,2})\s+(\d{1,2})$/;

/** Throws `InvalidError` in the contract's words. */
export function parseSchedule(text: string): Schedule {
  const [, start = '', count = '', unit = ''] = text.length > mostCharacters ? [] : (shape.exec(text.trim()) ?? []);
  if (start === '') {
    const help = 'write "2027-01-31 06 + 2 days", or "now + 1 hour"';
    throw invalid(`The cron is not in the correct format: ${shorten(text)}; ${help}`);
  }
  const step = { count: parseCount(count), unit: parseUnit(unit) };
  if (start === 'now' || start === 'Now') return step;
  const date = parseHour(start);
  if (date) return { start: date, ...step };
  throw invalid(`The starting date ${shorten(start)} is not in the correct format; write "2027-01-31 06"`);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (count >= 1 && count <= mostSteps) return count;
  throw invalid(`The cron is not in the correct format: it repeats after 1 to ${mostSteps} units, not ${text}`);
}

function parseUnit(text: string): Unit {
  const units: readonly Unit[] = ['hour', 'day', 'week', 'month'];
  const unit = units.find((each) => text === each || text === `${each}s`);
  if (unit) return unit;
  throw invalid(`The cron is not in the correct format: unit ${shorten(text)} is none of hours, days, weeks, months`);
}

/** An hour as schedules write it: `Y-M-D H`, with or without leading zeros. Nothing when there is no such hour. */
export function parseHour(text: string): Date | undefined {
  const [, year, month, day, hour] = (dateShape.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || hour === undefined) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour);
  const isThere = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour;
  return isThere ? date : undefined;
}

/** As the contract shows the next time: no leading zeros. */
export function renderHour(date: Date): string {
  return `${date.getUTCFullYear()}-${date.getUTCMonth() + 1}-${date.getUTCDate()} ${date.getUTCHours()}`;
}

export function hourOf(date: Date): Date {
  return new Date(Math.floor(date.getTime() / hourMs) * hourMs);
}

/** The first time of a schedule that is set now, as it is shown. Throws `InvalidError` when its hour is over. */
export function planFirst(text: string, now: Date): string {
  const { start } = parseSchedule(text);
  if (!start) return renderHour(now);
  if (start.getTime() >= hourOf(now).getTime()) return text.trim().replace(/\s*\+.*$/s, '');
  throw invalid(`The starting datetime is old. The current UTC time is ${renderHour(now)}`);
}

export interface DueTime {
  /** The latest time that has come; those before it were missed, and are not made up for. */
  readonly due: Date;
  /** The first time that is still to come. */
  readonly next: string;
}

/** Nothing while the next time has not come. */
export function planDue(schedule: Schedule, nextEx: Date, now: Date): DueTime | undefined {
  const hour = hourOf(now);
  if (nextEx.getTime() > hour.getTime()) return undefined;
  let due = skipWhole(schedule, nextEx, hour);
  for (;;) {
    const after = addStep(schedule, due);
    if (after.getTime() > hour.getTime()) return { due, next: renderHour(after) };
    due = after;
  }
}

/** Steps of a fixed length are not counted one by one. */
function skipWhole({ count, unit }: Schedule, from: Date, to: Date): Date {
  if (unit === 'month') return from;
  const stepMs = count * hours[unit] * hourMs;
  return new Date(from.getTime() + Math.floor((to.getTime() - from.getTime()) / stepMs) * stepMs);
}

const hours = { hour: 1, day: 24, week: 7 * 24 } as const;

function addStep({ count, unit }: Schedule, date: Date): Date {
  if (unit !== 'month') return new Date(date.getTime() + count * hours[unit] * hourMs);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + count;
  const lastDay = new Date(Date.UTC(Math.floor(months / 12), (months % 12) + 1, 0)).getUTCDate();
  const after = new Date(date);
  after.setUTCFullYear(Math.floor(months / 12), months % 12, Math.min(date.getUTCDate(), lastDay));
  return after;
}

function shorten(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function invalid(message: string): InvalidError {
  return new InvalidError('actor.invalid', message);
}
