/** The head of each script says what it is given, answers and promises; here it is held to it. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ScriptName, scriptFile, scriptTable } from '../../../src/mailbox/scripts.ts';

interface Script {
  readonly head: readonly string[];
  readonly body: string;
}

function read(name: string): Script {
  const lines = readFileSync(scriptFile(name), 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  return { head: lines.slice(0, end), body: lines.slice(end).join('\n') };
}

/** Names in the head's lines for KEYS or ARGV, in their order. */
function named(head: readonly string[], kind: 'KEYS' | 'ARGV'): readonly string[] {
  const found = head
    .map((line) => new RegExp(`^-- ${kind}\\[(\\d+)\\] (.+?)(  |$)`).exec(line))
    .filter((each) => !!each);
  found.forEach((each, index) => expect(Number(each[1])).toBe(index + 1));
  return found.map((each) => each[2] ?? '');
}

interface Command {
  readonly command: string;
  readonly key: string;
  /** What follows the key, to the end of the line. */
  readonly rest: string;
}

/** Every command that a script gives. One in another form than all others could not be judged, so there is none. */
function commandsOf(body: string): readonly Command[] {
  const found = [...body.matchAll(/redis\.call\('([A-Z]+)'(?:, (?=([^,)]+)(.*)))?/g)];
  expect(found).toHaveLength([...body.matchAll(/\bredis\b/g)].length);
  return found.map(([, command = '', key = '', rest = '']) => ({ command, key, rest }));
}

/** What the head calls the key. */
function nameOf(key: string, head: readonly string[]): string {
  const [, index] = /^KEYS\[(\d+)\]$/.exec(key) ?? [];
  return index === undefined ? key : (named(head, 'KEYS')[Number(index) - 1] ?? '');
}

const names = Object.keys(scriptTable) as ScriptName[];

describe('the scripts', () => {
  it('are those of the table, and what they share', () => {
    const files = readdirSync(new URL('.', scriptFile('post'))).map((file) => file.replace('.lua', ''));
    expect(files.toSorted()).toEqual([...names, 'shared'].toSorted());
  });

  it.each(names)('%s is given the keys that its head names', (name) => {
    expect(named(read(name).head, 'KEYS')).toEqual(scriptTable[name].keys);
  });

  it.each(names)('%s says what it promises and what it answers', (name) => {
    const { head } = read(name);
    expect(head[0]).toMatch(/^-- [A-Z].{20,}/);
    expect(head.filter((line) => line.startsWith('-- Returns '))).toHaveLength(1);
  });

  it.each(names)('%s uses every key and argument of its head and no other', (name) => {
    const { head, body } = read(name);
    for (const kind of ['KEYS', 'ARGV'] as const) {
      const known = named(head, kind);
      const used = [...body.matchAll(new RegExp(`${kind}\\[(\\d+)\\]`, 'g'))].map((each) => Number(each[1]));
      for (const index of used) expect(index, `${kind}[${index}]`).toBeLessThanOrEqual(known.length);
      // The last may stand for all that follow.
      for (let index = 1; index < known.length; index += 1) expect(used, `${kind}[${index}]`).toContain(index);
    }
  });

  it.each(names)('%s tells the news that its head names', (name) => {
    const { head, body } = read(name);
    const said = head
      .find((line) => line.startsWith('-- Emits'))
      ?.replace(/^-- Emits +/, '')
      .split(',')[0];
    const told = new Set([...body.matchAll(/news\(ARGV\[1\], '(\w+)'/g)].map((each) => each[1]));
    expect([...told]).toEqual(said === undefined ? [] : [said]);
  });

  it.each([...names, 'shared'])('%s never looks through the keyspace, and names keys by what it was given', (name) => {
    const { body } = read(name);
    for (const { command, key } of commandsOf(body)) {
      expect(command).not.toMatch(/^(KEYS|SCAN|HSCAN|ZSCAN|SSCAN|SORT|FLUSHDB|FLUSHALL|EVAL|RANDOMKEY)$/);
      expect(key, `${command} ${key}`).not.toMatch(/^['"]/);
    }
  });

  it.each([...names, 'shared'])('%s reads no more the longer the mailbox is', (name) => {
    const { body } = read(name);
    for (const { command, key, rest } of commandsOf(body)) {
      expect(command).not.toMatch(/^(SMEMBERS|HKEYS|HVALS|LRANGE|ZRANGE|ZREVRANGE|SUNION|SINTER|SDIFF|HRANDFIELD)$/);
      // A hash is read whole where it is one record: the actor's or an execution's.
      if (command === 'HGETALL') expect(['actor', 'execution']).toContain(nameOf(key, read(name).head));
      // What an earlier call has read may be passed over.
      if (command.startsWith('ZRANGEBY')) expect(rest, command).toMatch(/, 'LIMIT', (?:0|ARGV\[\d\]), \d+\)/);
    }
  });
});
