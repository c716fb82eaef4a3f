/** A request of the demo: what is sent, and the line a user would type for the same. One cannot say other than the other. */

import { readFile } from 'node:fs/promises';

export interface DemoRequest {
  /** Below the address, as "/actors/v2". */
  readonly path: string;
  readonly json?: unknown;
  /** Sent as a bearer token; lines to type have it in `$TOKEN`. */
  readonly token?: string;
  /** Sent as a form. */
  readonly message?: string | { readonly file: string };
}

export interface DemoAnswer {
  readonly status: number;
  readonly body: string;
}

export async function sendRequest(url: string, request: DemoRequest): Promise<DemoAnswer> {
  const answer = await fetch(url + request.path, await optionsOf(request));
  return { status: answer.status, body: await answer.text() };
}

export function renderCurl(url: string, request: DemoRequest): string {
  const token = request.token === undefined ? '' : ' -H "Authorization: Bearer $TOKEN"';
  return `curl -s ${quote(url + request.path)}${token}${bodyWords(request)
    .map((word) => ` ${quote(word)}`)
    .join('')}`;
}

/** The same request again and again, with `$n` in its text counting up. */
export function renderCurlLoop(
  url: string,
  request: DemoRequest & { readonly message: string },
  count: number,
): string {
  const line = ['curl', '-s', url + request.path].map(quote).join(' ');
  return `for n in $(seq ${count}); do ${line} -d "message=${request.message}" & done; wait`;
}

async function optionsOf({ json, message, token }: DemoRequest): Promise<RequestInit> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (json !== undefined) {
    return { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(json) };
  }
  if (message === undefined) return { headers };
  const text = typeof message === 'string' ? message : await readFile(message.file, 'utf8');
  return { method: 'POST', headers, body: new URLSearchParams({ message: text }) };
}

function bodyWords({ json, message }: DemoRequest): readonly string[] {
  if (json !== undefined) return ['-H', 'Content-Type: application/json', '-d', JSON.stringify(json)];
  if (message === undefined) return [];
  return ['--data-urlencode', typeof message === 'string' ? `message=${message}` : `message@${message.file}`];
}

/** A word as the shell reads it back. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
