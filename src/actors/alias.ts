/** A second name for an actor, unique in a tenant, and what such a name may be (contract §7.12). Pure. */

import { isId } from '../lib/ids.ts';
import { pathWordProblem } from './path-word.ts';

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

/** Why a text can be no alias; nothing when it can. */
export function aliasProblem(alias: string): string | undefined {
  if (isId(alias)) return 'Alias cannot be an Abaco hash id.';
  return pathWordProblem('Alias', alias, reserved);
}
