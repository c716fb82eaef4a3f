/**
 * Finds the line of every key and list element of a TOML document. The parser tells no positions, and an operator with a
 * mistake in a file wants to be told the line.
 *
 * It walks the text once and knows just enough of TOML for that: headers, dotted and quoted keys, strings of all four
 * kinds, lists, inline tables, comments. It expects a document the parser has accepted.
 */

import { parse } from 'smol-toml';
import { renderPath, type SettingPath } from './setting-path.ts';

/** @returns 1-based lines by `renderPath`. A table has the line of its first mention. */
export function keyLines(toml: string): ReadonlyMap<string, number> {
  const scan: Scan = { text: toml, at: 0, lines: new Map(), elements: new Map() };
  let table: SettingPath = [];
  for (skipBlank(scan); scan.at < toml.length; skipBlank(scan)) {
    if (toml[scan.at] === '[') table = readHeader(scan);
    else readPair(scan, table);
  }
  return scan.lines;
}

interface Scan {
  readonly text: string;
  at: number;
  readonly lines: Map<string, number>;
  /** How many `[[…]]` of a name there were so far. */
  readonly elements: Map<string, number>;
}

function readHeader(scan: Scan): SettingPath {
  const start = scan.at;
  const isElement = scan.text[scan.at + 1] === '[';
  scan.at += isElement ? 2 : 1;
  const keys = readKeys(scan);
  scan.at += isElement ? 2 : 1;
  const parents = throughElements(scan, keys.slice(0, -1));
  const path = [...parents, ...keys.slice(-1)];
  note(scan, path, start);
  return isElement ? addElement(scan, path, start) : throughElements(scan, keys);
}

/** `[a.b]` after `[[a]]` means the last element of `a`. */
function throughElements(scan: Scan, keys: readonly string[]): SettingPath {
  return keys.reduce<SettingPath>((path, key) => {
    const next = [...path, key];
    const count = scan.elements.get(renderPath(next));
    return count === undefined ? next : [...next, count - 1];
  }, []);
}

function addElement(scan: Scan, path: SettingPath, start: number): SettingPath {
  const name = renderPath(path);
  const count = scan.elements.get(name) ?? 0;
  scan.elements.set(name, count + 1);
  const element = [...path, count];
  note(scan, element, start);
  return element;
}

function readPair(scan: Scan, table: SettingPath): void {
  const start = scan.at;
  const keys = readKeys(scan);
  keys.forEach((_, index) => note(scan, [...table, ...keys.slice(0, index + 1)], start));
  scan.at++;
  readValue(scan, [...table, ...keys]);
}

function readKeys(scan: Scan): readonly string[] {
  const keys: string[] = [];
  do {
    if (keys.length > 0) scan.at++;
    skipSpace(scan);
    keys.push(readKey(scan));
    skipSpace(scan);
  } while (scan.text[scan.at] === '.');
  return keys;
}

function readKey(scan: Scan): string {
  const start = scan.at;
  const quote = scan.text[scan.at];
  if (quote !== '"' && quote !== "'") {
    match(scan, /[\w-]*/y);
    if (scan.at === start) scan.at = scan.text.length;
    return scan.text.slice(start, scan.at);
  }
  skipString(scan, quote);
  return unquote(scan.text.slice(start, scan.at));
}

function unquote(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  const { key } = parse(`key = ${quoted}`);
  return typeof key === 'string' ? key : quoted;
}

function readValue(scan: Scan, path: SettingPath): void {
  skipBlank(scan);
  const first = scan.text[scan.at];
  if (first === '[') readList(scan, path);
  else if (first === '{') readInlineTable(scan, path);
  else if (first === '"' || first === "'") skipString(scan, first);
  else match(scan, /[^,\]}#\n]*/y);
}

function readList(scan: Scan, path: SettingPath): void {
  scan.at++;
  for (let index = 0; moreInside(scan, ']'); index++) {
    note(scan, [...path, index], scan.at);
    readValue(scan, [...path, index]);
  }
}

function readInlineTable(scan: Scan, path: SettingPath): void {
  scan.at++;
  while (moreInside(scan, '}')) readPair(scan, path);
}

/** Steps to the next element, or over the closing bracket. */
function moreInside(scan: Scan, close: string): boolean {
  skipBlank(scan);
  if (scan.text[scan.at] === ',') scan.at++;
  skipBlank(scan);
  if (scan.at >= scan.text.length) return false;
  if (scan.text[scan.at] !== close) return true;
  scan.at++;
  return false;
}

const strings = {
  '"""': /"""(?:\\[^]|[^\\])*?"{3,5}(?!")/y,
  "'''": /'''[^]*?'{3,5}(?!')/y,
  '"': /"(?:\\.|[^"\\\n])*"/y,
  "'": /'[^'\n]*'/y,
} as const;

function skipString(scan: Scan, quote: '"' | "'"): void {
  const triple = `${quote}${quote}${quote}` as '"""' | "'''";
  match(scan, scan.text.startsWith(triple, scan.at) ? strings[triple] : strings[quote]);
}

function skipSpace(scan: Scan): void {
  match(scan, /[ \t]*/y);
}

/** Spaces, line ends and comments. */
function skipBlank(scan: Scan): void {
  match(scan, /(?:[\s\uFEFF]|#[^\n]*)*/y);
}

/** Steps over what matches here; over everything when nothing does, so that every walk ends. */
function match(scan: Scan, pattern: RegExp): void {
  pattern.lastIndex = scan.at;
  scan.at = pattern.test(scan.text) ? pattern.lastIndex : scan.text.length;
}

function note(scan: Scan, path: SettingPath, at: number): void {
  const name = renderPath(path);
  if (!scan.lines.has(name)) scan.lines.set(name, lineAt(scan.text, at));
}

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let end = text.indexOf('\n'); end !== -1 && end < at; end = text.indexOf('\n', end + 1)) line++;
  return line;
}
