/** What the user wants sent, as the request that carries it. */

import { stat } from 'node:fs/promises';
import { asError, InvalidError } from '../errors.ts';
import { type RequestBody, readBody } from './http.ts';

export interface OutgoingMessage {
  readonly contentType: 'application/json' | 'application/octet-stream';
  readonly body: RequestBody;
  /** Query parameters of the request, which the program finds in its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface MessageFlags {
  readonly message?: string;
  /** A path, or "-" for standard input. */
  readonly file?: string;
  readonly env?: readonly string[];
}

/** A text as the message itself; a file, or standard input, as a binary message. Exactly one of the two is wanted. */
export async function readMessage(flags: MessageFlags, stdin: AsyncIterable<Uint8Array>): Promise<OutgoingMessage> {
  const { message, file } = flags;
  const environment = parseEnvironment(flags.env ?? []);
  if (message !== undefined && file === undefined) return textMessage(message, environment);
  if (file !== undefined && message === undefined) {
    return { contentType: 'application/octet-stream', body: await readFileBody(file, stdin), environment };
  }
  throw new InvalidError('request.invalid', 'A message is wanted: give either --message TEXT or --file FILE');
}

function textMessage(message: string, environment: OutgoingMessage['environment']): OutgoingMessage {
  if (message === '') throw emptyMessage('text', 'give --message some text');
  return { contentType: 'application/json', body: Buffer.from(JSON.stringify({ message })), environment };
}

function emptyMessage(what: string, help: string): InvalidError {
  return new InvalidError('request.invalid', `An empty ${what} is no message; ${help}`);
}

async function readFileBody(file: string, stdin: AsyncIterable<Uint8Array>): Promise<RequestBody> {
  if (file === '-') {
    const body = await readBody(stdin);
    if (body.length === 0) throw emptyMessage('standard input', 'pipe something into it, or give --message some text');
    return body;
  }
  const found = await stat(file).catch((thrown: unknown) => {
    throw new InvalidError('request.invalid', `File "${file}" cannot be sent: ${asError(thrown).message}`);
  });
  if (found.isFile()) {
    if (found.size === 0) throw emptyMessage('file', `write something into "${file}", or name another`);
    return { file, bytes: found.size };
  }
  throw new InvalidError(
    'request.invalid',
    `File "${file}" cannot be sent: it is not a regular file; "-" is standard input`,
  );
}

/** Names the service would take for something else. */
const reserved = new Set(['message', '_abaco_synchronous']);

export function parseEnvironment(entries: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(entries.map(parseEntry));
}

function parseEntry(entry: string): [string, string] {
  const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(entry) ?? [];
  if (name === '') {
    throw new InvalidError('request.invalid', `Environment "${entry}" is not NAME=VALUE; write it as in -e SIZE=10`);
  }
  if (reserved.has(name)) {
    throw new InvalidError(
      'request.invalid',
      `Environment "${name}" has a meaning of its own in a request; take another name`,
    );
  }
  return [name, value];
}
