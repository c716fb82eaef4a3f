/** Reads one value as its setting wants it: "30s" as 30000, "none" as null, "~/data" as a path. */

import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseByteSize } from '../lib/byte-size.ts';
import { parseDuration } from '../lib/duration.ts';
import type { SchemaNode } from './setting.ts';

export interface Surroundings {
  /** Relative paths start here. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What cannot be read is returned as it is, for the check against the schema to refuse. */
export function readValue(node: SchemaNode, value: unknown, surroundings: Surroundings): unknown {
  const { kind, none } = node.setting ?? {};
  if (typeof value !== 'string') return value;
  if (none && value === 'none') return null;
  if (kind === 'duration') return parseDuration(value) ?? value;
  if (kind === 'bytes') return parseByteSize(value) ?? value;
  if (kind === 'path') return value === '' ? '' : resolvePath(value, surroundings);
  return value;
}

function resolvePath(path: string, { directory, env }: Surroundings): string {
  const home = env['HOME'] || homedir();
  if (path === '~' || path.startsWith('~/')) return join(home, path.slice(1));
  return resolve(directory, path);
}

/** Variables are text: what looks like the setting's type becomes it, the rest stays text and is refused as such. */
export function readVariable(node: SchemaNode, text: string): unknown {
  const kind = node.setting?.kind;
  if (kind === 'flag' && (text === 'true' || text === 'false')) return text === 'true';
  const isNumber = kind === 'integer' || kind === 'duration' || kind === 'bytes';
  return isNumber && /^-?\d+$/.test(text) ? Number(text) : text;
}
