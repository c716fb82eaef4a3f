/** A second name for an actor, unique in a tenant, and what such a name may be (contract §7.12). Pure. */

import { isId } from '../lib/ids.ts';

export interface Alias {
  readonly tenant: string;
  readonly alias: string;
  readonly actorId: string;
  /** Who made it. */
  readonly owner: string;
}

/** Words of paths: the contract's, and those that routes of ours or of the original would hide. */
const reserved: readonly string[] = [
  'executions',
  'nonces',
  'logs',
  'messages',
  'adapters',
  'admin',
  'aliases',
  'configs',
  'search',
  'utilization',
  'v2',
];

const forbidden = /[\\\s":/?#[\]@!$&'()*+,;=%\p{Cc}\p{Cs}]/u;

const longest = 255;

/** Why a text can be no alias; nothing when it can. */
export function aliasProblem(alias: string): string | undefined {
  if (isId(alias)) return 'Alias cannot be an Abaco hash id.';
  if (reserved.includes(alias)) return `Alias cannot be a reserved word: ${reserved.join(', ')}.`;
  if (forbidden.test(alias)) return `Alias cannot hold any of \\ space " : / ? # [ ] @ ! $ & ' ( ) * + , ; = %`;
  // Clients take these two out of a path before they send it.
  if (alias === '' || alias === '.' || alias === '..') return 'Alias cannot be empty, nor a dot or two.';
  if (alias.length > longest) return `Alias cannot be longer than ${longest} characters.`;
  return undefined;
}
