/** The transitions of a message as Redis knows them: the typed table of scripts, and the one way to call them. */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { asRedisError, throwRedisError } from '../storage/redis.ts';

interface ScriptEntry {
  /** As the head of the file names its KEYS, in order. */
  readonly keys: readonly string[];
  /** Stands on `shared.lua`. */
  readonly shared: boolean;
}

export const scriptTable = {
  post: { keys: ['actor', 'mailbox', 'execution', 'idempotency', 'permissions', 'outbox'], shared: true },
  'post-many': {
    keys: ['actor', 'mailbox', 'executions', 'idempotencies', 'permissions', 'outbox'],
    shared: true,
  },
  'post-caused': { keys: ['actor', 'mailbox', 'execution', 'causes', 'outbox'], shared: true },
  claim: { keys: ['actor', 'mailbox', 'held', 'executions'], shared: true },
  'extend-lease': { keys: ['held', 'execution'], shared: true },
  'give-back': { keys: ['mailbox', 'held', 'execution'], shared: true },
  'record-intent': { keys: ['execution', 'cleanup'], shared: true },
  'record-handle': { keys: ['execution'], shared: true },
  running: { keys: ['actor', 'execution', 'outbox'], shared: true },
  'note-wait': { keys: ['execution'], shared: true },
  'append-results': { keys: ['execution', 'results'], shared: true },
  'take-result': { keys: ['results', 'results read'], shared: false },
  settle: {
    keys: [
      'actor',
      'held',
      'execution',
      'outbox',
      'cleanup',
      'results',
      'results read',
      'link events',
      'webhook events',
    ],
    shared: true,
  },
  cancel: { keys: ['execution'], shared: true },
  purge: { keys: ['actor', 'mailbox', 'executions', 'outbox'], shared: true },
  adopt: { keys: ['actor', 'mailbox', 'held', 'executions'], shared: true },
  'take-turn': { keys: ['turns of the tenant', 'turns of the user'], shared: true },
  'list-actor': { keys: ['actors of the tenant', 'actors of the owner'], shared: false },
  'save-actor': { keys: ['actor', 'outbox', 'permissions'], shared: true },
  'mark-actor': { keys: ['actor', 'outbox', 'link events', 'webhook events'], shared: true },
  'advance-schedule': { keys: ['actor', 'outbox'], shared: true },
  'delete-actor': { keys: ['actor', 'mailbox', 'held', 'state', 'outbox', 'nonces'], shared: true },
  'owe-actor': { keys: ['actor', 'outbox'], shared: true },
  'grant-on-actor': { keys: ['actor', 'permissions', 'outbox'], shared: true },
  'grant-on-name': { keys: ['names', 'permissions'], shared: false },
  'add-nonce': { keys: ['owner of it', 'nonces'], shared: false },
  'redeem-nonce': { keys: ['nonces'], shared: true },
  'unlink-actor': { keys: ['actor', 'outbox', 'causes'], shared: true },
  'decide-target': { keys: ['causes'], shared: false },
  'take-alias': { keys: ['aliases', 'aliases of the actor', 'permissions', 'links to'], shared: false },
  'move-alias': {
    keys: ['aliases', 'aliases of the old actor', 'aliases of the new one', 'permissions'],
    shared: false,
  },
  'drop-alias': {
    keys: ['aliases', 'aliases of the actor', 'permissions', 'nonces', 'config actors', 'configs of'],
    shared: true,
  },
  'save-config': { keys: ['configs', 'config actors', 'configs of', 'permissions', 'aliases'], shared: true },
  'reseal-config': { keys: ['configs'], shared: false },
  'drop-config': { keys: ['configs', 'config actors', 'configs of', 'permissions'], shared: true },
  'forget-in-configs': { keys: ['config actors', 'configs of'], shared: true },
  'set-state': { keys: ['actor', 'state', 'execution', 'outbox'], shared: true },
  drained: {
    keys: ['actor', 'outbox', 'execution', 'cleanup', 'link events', 'webhook events', 'causes'],
    shared: false,
  },
} as const satisfies Record<string, ScriptEntry>;

export type ScriptName = keyof typeof scriptTable;

/** What a script may answer; bulk strings stay bytes, since a message may be any bytes. */
export type Answer = Buffer | number | null | readonly Answer[];

type Strings<Names extends readonly unknown[]> = { readonly [Index in keyof Names]: string };
type KeysOf<Name extends ScriptName> = Strings<(typeof scriptTable)[Name]['keys']>;

export type RunScript = <Name extends ScriptName>(
  name: Name,
  keys: KeysOf<Name>,
  args: readonly (string | number | Uint8Array)[],
) => Promise<Answer>;

export function scriptFile(name: string): URL {
  return new URL(`scripts/${name}.lua`, import.meta.url);
}

/**
 * Calls scripts by their hash, and sends the text when the server has not seen it. The hash is of the text, so two
 * releases can share one Redis during a rolling upgrade.
 */
export function createRunScript(redis: Redis): RunScript {
  const texts = new Map<ScriptName, { readonly text: string; readonly sha: string }>();
  for (const name of Object.keys(scriptTable) as ScriptName[]) {
    const shared = scriptTable[name].shared ? readFileSync(scriptFile('shared'), 'utf8') : '';
    const text = shared + readFileSync(scriptFile(name), 'utf8');
    texts.set(name, { text, sha: createHash('sha1').update(text).digest('hex') });
  }
  const commands = redis as unknown as ScriptCommands;
  return async (name, keys, args) => {
    const script = texts.get(name);
    if (!script) throw new TypeError(`No script "${name}"`);
    const rest = [...keys, ...args.map(asArgument)];
    try {
      return (await commands.evalshaBuffer(script.sha, keys.length, ...rest)) as Answer;
    } catch (thrown) {
      if (!(thrown instanceof Error) || !thrown.message.startsWith('NOSCRIPT')) throw asRedisError(thrown);
    }
    return (await commands.evalBuffer(script.text, keys.length, ...rest).catch(throwRedisError)) as Answer;
  };
}

/** ioredis makes a `…Buffer` twin of every command; its types leave out the twins of these two. */
interface ScriptCommands {
  evalshaBuffer(sha: string, keys: number, ...rest: (string | Buffer)[]): Promise<unknown>;
  evalBuffer(text: string, keys: number, ...rest: (string | Buffer)[]): Promise<unknown>;
}

/** Text goes as text: bytes among its arguments make the client write a command piece by piece, three times as slow. */
function asArgument(value: string | number | Uint8Array): string | Buffer {
  if (!(value instanceof Uint8Array)) return String(value);
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return isUtf8(bytes) ? bytes.toString() : bytes;
}

/** An answer that is a list of texts, or one text. */
export function words(answer: Answer): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : [String(answer)];
}
