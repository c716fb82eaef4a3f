/** What several actors are given: settings, and secrets (contract §7.12). What a config may be called and hold. Pure. */

import { renderValue, type ValueText } from '../executions/value-text.ts';
import { isId } from '../lib/ids.ts';
import { pathWordProblem } from './path-word.ts';

export interface ActorConfig {
  readonly tenant: string;
  readonly name: string;
  /** As it was given; of a secret what stands for it, which tells nothing of it. */
  readonly value: string;
  readonly isSecret: boolean;
  /** Ids and aliases of those that are given it. */
  readonly actors: readonly string[];
}

/** As a container is given it. */
export interface ConfigValue {
  readonly name: string;
  readonly value: string;
}

/** Words of paths: the contract's, and those that routes of ours or of the original would hide. */
const reserved: readonly string[] = [
  'executions',
  'nonces',
  'logs',
  'messages',
  'adapters',
  'admin',
  'utilization',
  'permissions',
];

const mostActors = 1_000;

/** Linux takes no longer `name=value` than 131,072 bytes with its NUL, and all configs of an actor are one variable. */
const mostBytes = 131_071 - Buffer.byteLength('_actor_configs=');

/** Why a text can be no name of a config; nothing when it can. */
export function configNameProblem(name: string): string | undefined {
  return pathWordProblem('Name', name, reserved);
}

/** Why no container could be given this; nothing when it could. The words hold nothing of the value. */
export function configValueProblem({ name, value }: ConfigValue): string | undefined {
  if (value.includes('\0')) return 'value holds NUL, which no environment variable can';
  if (!value.isWellFormed()) return 'value holds half of a character';
  return configsProblem(bytesOfConfig({ name, value }));
}

/** Why an actor cannot be given configs of so many bytes together; nothing when it can. */
export function configsProblem(bytes: number): string | undefined {
  const room = mostBytes - '{}'.length;
  if (bytes <= room) return undefined;
  return `the configs of an actor are one variable, of ${room} bytes at most; with this they take ${bytes}`;
}

/** What one takes of the variable at most, with its comma: in the longer form, so that it fits whatever `compat.value_text` says. */
export function bytesOfConfig(config: ConfigValue): number {
  return Math.max(...(['python', 'json'] as const).map((form) => Buffer.byteLength(renderConfigs([config], form))));
}

/** Items of the one string that names actors, each once, in their order. */
export function readActorNames(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ''))];
}

export function actorNamesProblem(names: readonly string[]): string | undefined {
  if (names.length === 0) return 'actors names none.';
  if (names.length > mostActors) return `actors names ${names.length}; ${mostActors} is the most.`;
  return undefined;
}

export function aliasesAmong(names: readonly string[]): readonly string[] {
  return names.filter((name) => !isId(name));
}

/** The variable `_actor_configs` (contract §9.2): a mapping. Names that look like numbers keep their place. */
export function renderConfigs(configs: readonly ConfigValue[], valueText: ValueText): string {
  const members = configs.map(({ name, value }) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return renderValue(`{${members.join(',')}}`, valueText);
}
