/** One source of settings: a TOML file, or the environment. Later layers win, key by key. */

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { asError, type ConfigProblem } from '../errors.ts';
import { keyLines } from './key-lines.ts';
import { renderPath, type SettingPath } from './setting-path.ts';
import type { SettingsTree } from './settings-tree.ts';

export interface Layer {
  readonly tree: SettingsTree;
  /** Where a setting of this layer stands, for people: `site.toml:3`, `environment ABACO_REDIS_URL`. */
  readonly where: (path: SettingPath) => string;
  /** Relative paths start here. */
  readonly directory: string;
}

export interface LayerReading {
  readonly layer?: Layer;
  readonly problems: readonly ConfigProblem[];
}

/** @param name - the file as the operator knows it; every message says it so. */
export function readFileLayer({ file, name }: { readonly file: string; readonly name: string }): LayerReading {
  try {
    const text = readFileSync(file, 'utf8');
    const tree = parse(text, { unsafeKeyBehaviour: 'throw' });
    return { layer: { tree, where: whereIn(name, text), directory: dirname(file) }, problems: [] };
  } catch (thrown) {
    return { problems: [fileProblem(name, thrown)] };
  }
}

function whereIn(name: string, text: string): Layer['where'] {
  const lines = keyLines(text);
  return (path) => {
    const known = path
      .map((_, index) => path.slice(0, path.length - index))
      .find((part) => lines.has(renderPath(part)));
    return known === undefined ? name : `${name}:${lines.get(renderPath(known))}`;
  };
}

/** The parser's own message goes on to quote the lines around; they may hold a password. */
function fileProblem(name: string, thrown: unknown): ConfigProblem {
  if (thrown instanceof TomlError) {
    const [reason = ''] = thrown.message.replace('Invalid TOML document: ', '').split('\n');
    return { path: '', where: `${name}:${thrown.line}:${thrown.column}`, message: `Not valid TOML: ${reason}` };
  }
  return { path: '', where: name, message: `File "${name}" cannot be read: ${reasonOf(thrown)}` };
}

/** The system's word for it, without the path that Node puts into the message. */
export function reasonOf(thrown: unknown): string {
  const error = asError(thrown) as NodeJS.ErrnoException;
  return error.code ?? error.message;
}
