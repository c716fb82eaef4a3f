/**
 * `resources` of an actor, as clients write it and as it is shown. Read leniently: names in any spelling (`wallTime`,
 * `wall_time`), numbers also as text. What cannot be meant is refused, an unknown name too: a limit that was forgotten
 * costs somebody's allocation.
 */

import { InvalidError } from '../errors.ts';
import { asksForNothing, type Resources, tasksOf } from '../launcher/resources.ts';
import { parseByteSize } from '../lib/byte-size.ts';
import { parseDuration } from '../lib/duration.ts';
import { optional } from '../lib/optional.ts';
import type { Attributes } from './wire.ts';

export const resourceNames = [
  'nodes',
  'tasks',
  'cpus',
  'memory',
  'gpus',
  'walltime',
  'partition',
  'account',
  'qos',
  'constraint',
  'reservation',
] as const;

type ResourceName = (typeof resourceNames)[number];

const minuteMs = 60_000;
const mostWalltimeMs = 365 * 24 * 60 * minuteMs;
/** Below it no container can start. */
const leastMemoryBytes = 6 * 1024 ** 2;

/** Names as Slurm has them, several partitions with commas. Never beginning like an option. */
const name = /^[A-Za-z0-9_][\w.+@-]{0,99}$/;
const names = /^[A-Za-z0-9_][\w.+@-]{0,99}(?:,[A-Za-z0-9_][\w.+@-]{0,99}){0,9}$/;
/** Features and how they are combined: "rack1&fast", "[a|b]*2". */
const features = /^[A-Za-z0-9_[(][\w.&|*:,()[\]-]{0,199}$/;

/** Throws `InvalidError` that begins with `what` at the first value that cannot be meant. */
export function readResources(given: Readonly<Record<string, unknown>>, what: string): Resources {
  const values = new Map<ResourceName, unknown>();
  for (const [key, value] of Object.entries(given)) {
    const known = resourceNames.find((candidate) => candidate === key.replaceAll(/[_-]/g, '').toLowerCase());
    if (known === undefined) {
      throw invalid(what, `"${key.slice(0, 80)}" is none of the resources there are: ${resourceNames.join(', ')}`);
    }
    if (value !== null && value !== '') values.set(known, value);
  }
  const read = <T>(key: ResourceName, parse: (value: unknown) => T | undefined, expects: string): T | undefined => {
    if (!values.has(key)) return undefined;
    const value = parse(values.get(key));
    if (value === undefined) throw invalid(what, `"${key}" is ${shown(values.get(key))}; it has to be ${expects}`);
    return value;
  };
  const word = (key: ResourceName, pattern: RegExp, expects: string) =>
    read(key, (value) => (typeof value === 'string' && pattern.test(value) ? value : undefined), expects);
  const gpus = read('gpus', readGpus, 'a count, or a kind of GPU and a count as in "a100:2"');
  const resources: Resources = {
    ...optional('nodes', read('nodes', readCount, 'a count from 1')),
    ...optional('tasks', read('tasks', readCount, 'a count from 1')),
    ...optional('cpusPerTask', read('cpus', readCount, 'a count from 1')),
    ...optional('memoryBytesPerNode', read('memory', readMemory, 'bytes, or as in "2g" or "512 MiB", 6m at least')),
    ...gpus,
    ...optional('walltimeMs', read('walltime', readWalltime, 'minutes, "HH:MM:SS", "D-HH:MM:SS" or as in "1h30m"')),
    ...optional('partition', word('partition', names, 'the name of a partition, or several with commas')),
    ...optional('account', word('account', name, 'the name of an account')),
    ...optional('qos', word('qos', name, 'the name of a quality of service')),
    ...optional('constraint', word('constraint', features, 'features of nodes, combined as Slurm does')),
    ...optional('reservation', word('reservation', name, 'the name of a reservation')),
  };
  if (tasksOf(resources) < (resources.nodes ?? 1)) {
    throw invalid(what, `"tasks" is ${tasksOf(resources)}, fewer than "nodes", ${resources.nodes}; each node runs one`);
  }
  return resources;
}

/** Nothing for an actor that asks for nothing. What is shown reads as the same. */
export function renderResources(resources: Resources): Attributes | undefined {
  if (asksForNothing(resources)) return undefined;
  const { cpusPerTask, memoryBytesPerNode, gpusPerNode, gpuType, walltimeMs, ...same } = resources;
  const shownOf: Partial<Record<ResourceName, unknown>> = {
    ...same,
    cpus: cpusPerTask,
    memory: memoryBytesPerNode === undefined ? undefined : renderMemory(memoryBytesPerNode),
    gpus: gpuType === undefined ? gpusPerNode : `${gpuType}:${gpusPerNode}`,
    walltime: walltimeMs === undefined ? undefined : renderWalltime(walltimeMs),
  };
  return Object.fromEntries(
    resourceNames.filter((key) => shownOf[key] !== undefined).map((key) => [key, shownOf[key]]),
  );
}

function readCount(value: unknown): number | undefined {
  const count = typeof value === 'string' && /^\s*\d{1,9}\s*$/.test(value) ? Number(value) : value;
  return typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= 1_000_000 ? count : undefined;
}

function readGpus(value: unknown): Pick<Resources, 'gpusPerNode' | 'gpuType'> | undefined {
  const [, kind, number] = /^(?:([A-Za-z][\w.-]{0,49}):)?(\d{1,4})$/.exec(String(value).trim()) ?? [];
  const gpusPerNode = readCount(number);
  if (gpusPerNode !== undefined) return { gpusPerNode, ...optional('gpuType', kind) };
  return number === '0' && kind === undefined ? {} : undefined;
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** As `mem_limit` is written ("2g"), as sizes in the configuration are ("512 MiB"), or bytes. */
function readMemory(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  const [, amount, unit = ''] = /^(\d{1,15}(?:\.\d{1,3})?)([kmgt]?)$/i.exec(text) ?? [];
  const plain = amount === undefined ? undefined : Math.ceil(Number(amount) * (units[unit.toLowerCase()] ?? 1));
  const bytes = plain ?? parseByteSize(text);
  return bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= leastMemoryBytes ? bytes : undefined;
}

/** A plain number is minutes, as it is for `--time` of Slurm; so is "1-12", a day and twelve hours. */
function readWalltime(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  const ms = readClock(text) ?? parseDuration(text);
  return ms !== undefined && ms >= 1_000 && ms <= mostWalltimeMs ? ms : undefined;
}

function readClock(text: string): number | undefined {
  const [, days, first, second, third] = /^(?:(\d{1,3})-)?(\d{1,7})(?::(\d{1,2}))?(?::(\d{1,2}))?$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  if ([second, third].some((part) => part !== undefined && Number(part) > 59)) return undefined;
  // Without days: minutes, minutes:seconds, hours:minutes:seconds. With days hours come first.
  const isHours = days !== undefined || third !== undefined;
  const [hours, minutes, seconds] = isHours
    ? [Number(first), Number(second ?? 0), Number(third ?? 0)]
    : [0, Number(first), Number(second ?? 0)];
  return (((Number(days ?? 0) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}

function renderMemory(bytes: number): string {
  const unit = (['t', 'g', 'm', 'k'] as const).find((letter) => bytes % (units[letter] ?? 1) === 0);
  return unit === undefined ? String(bytes) : `${bytes / (units[unit] ?? 1)}${unit}`;
}

/** Whole seconds; hours go above a day. */
function renderWalltime(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function invalid(what: string, reason: string): InvalidError {
  return new InvalidError('actor.invalid', `${what}: resources: ${reason}`);
}
