/**
 * The processes of a host, as far as a launch needs to know them: whether one is still the same, and what it has started.
 * Pure, but for the one command that reads them all.
 *
 * A process is named by its *starter*: `<host>/<boot>/<pid>/<start>`. A number alone comes back; with the time of its
 * start it does not, and after a reboot the boot is another. The helper's label carries it into the start marker.
 */

import { UnavailableError } from '../../src/errors.ts';
import type { Command } from '../host/command.ts';

export interface Starter {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** Ticks since the boot. */
  readonly start: number;
}

export interface ProcessTable {
  readonly host: string;
  readonly boot: string;
  readonly processes: ReadonlyMap<number, ProcessEntry>;
}

export interface ProcessEntry {
  readonly pid: number;
  readonly name: string;
  readonly parent: number;
  readonly session: number;
  readonly start: number;
}

/** `gone` is only said where it is sure: another host of the same address knows nothing of this one's processes. */
export type Presence = 'there' | 'gone' | 'unknown';

export function renderStarter({ host, boot, pid, start }: Starter): string {
  return `${host}/${boot}/${pid}/${start}`;
}

/** @returns nothing for any other text. */
export function parseStarter(text: string): Starter | undefined {
  const [, host, boot, pid, start] = /^([\w.-]{1,64})\/([0-9a-f-]{36})\/([1-9]\d{0,9})\/(\d{1,19})$/.exec(text) ?? [];
  if (host === undefined || boot === undefined) return undefined;
  return { host, boot, pid: Number(pid), start: Number(start) };
}

/** No word of it comes from anybody, so this is a line for a shell. */
const listing =
  "cat /proc/sys/kernel/hostname; exec grep -asH '' /proc/sys/kernel/random/boot_id /proc/[0-9]*/stat 2>/dev/null";

export const listProcesses: Command<ProcessTable> = {
  argv: ['/bin/sh', '-c', listing],
  timeoutMs: 30_000,
  parse({ exitCode, signal, stdout }) {
    // Of those that a list which was cut off lacks, nobody knows that they are gone. One that has ended is grep's 2.
    if (exitCode !== null && exitCode < 128) return parseProcesses(stdout);
    const how = signal ?? (exitCode === null ? 'a signal' : `exit code ${exitCode}`);
    throw new UnavailableError('launcher.unavailable', `The list of processes was cut off by ${how}`);
  },
};

/**
 * Each line says which file it is of. A process may have any name, also one with line ends and the looks of another's
 * line: it is taken at its word only about itself.
 */
export function parseProcesses(text: string): ProcessTable {
  const processes = new Map<number, ProcessEntry>();
  let boot = '';
  for (const line of text.split('\n')) {
    boot ||= /^\/proc\/sys\/kernel\/random\/boot_id:([0-9a-f-]{36})$/.exec(line)?.[1] ?? '';
    const entry = parseStat(line);
    // The first line of a file is the kernel's own.
    if (entry && !processes.has(entry.pid)) processes.set(entry.pid, entry);
  }
  return { host: text.slice(0, Math.max(0, text.indexOf('\n'))), boot, processes };
}

/** `/proc/12/stat:12 (name) S 1 12 12 …`, see proc_pid_stat(5). */
function parseStat(line: string): ProcessEntry | undefined {
  const [, file, own, name, rest] = /^\/proc\/(\d+)\/stat:(\d+) \((.*)\) (.*)$/.exec(line) ?? [];
  if (file === undefined || file !== own || name === undefined) return undefined;
  const fields = rest?.split(' ') ?? [];
  if (fields.length < 20 || hasEnded(fields[0], Number(fields[17]))) return undefined;
  const [parent, session, start] = [fields[1], fields[3], fields[19]].map(Number);
  return { pid: Number(own), name, parent: parent ?? 0, session: session ?? 0, start: start ?? 0 };
}

/** A zombie with threads is none: so looks, for a moment, a program that becomes another from one of its threads. */
function hasEnded(state: string | undefined, threads: number): boolean {
  return state === 'X' || (state === 'Z' && threads <= 1);
}

export function presenceOf(starter: Starter, table: ProcessTable): Presence {
  if (table.boot === '' || table.host !== starter.host) return 'unknown';
  if (table.boot !== starter.boot) return 'gone';
  return table.processes.get(starter.pid)?.start === starter.start ? 'there' : 'gone';
}

/** What a starter has made, itself first, parents before children; also where it is gone and others of its session are not. */
export function treeOf(starter: Starter, table: ProcessTable): readonly ProcessEntry[] {
  if (table.host !== starter.host || table.boot !== starter.boot) return [];
  // While anybody is in its session, no other process has its number.
  const named = table.processes.get(starter.pid);
  if (named && named.start !== starter.start) return [];
  const all = [...table.processes.values()];
  const others = all.filter(({ pid, session }) => session === starter.pid && pid !== starter.pid);
  const tree = [...(named ? [named] : []), ...others];
  const known = new Set(tree.map(({ pid }) => pid));
  for (let index = 0; index < tree.length; index += 1) {
    for (const child of all) {
      if (child.parent !== tree[index]?.pid || known.has(child.pid)) continue;
      known.add(child.pid);
      tree.push(child);
    }
  }
  return tree;
}
