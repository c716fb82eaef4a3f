/**
 * Every route under an actor, an alias or a config, and what it needs (contract §5.4). The table is read by
 * `05-4-access-table.test.ts`, which asks each line in every role, at every level, in every way a level is come by.
 */

import type { Question } from '../support/api-requests.ts';

/** `UPDATE both` is on the alias and on the actor behind it. */
export type Need = 'READ' | 'EXECUTE' | 'UPDATE' | 'admin';

export interface Line {
  /** `A` is the actor's id, `L` an alias of it, `C` a config for it, `N` a nonce that is none. */
  readonly request: string;
  readonly on: 'actor' | 'alias' | 'alias and actor' | 'config';
  readonly need: Need;
  readonly question?: Question;
}

const image = { json: { image: 'debian' } };
const message = { json: { message: 'm' } };
const replacement = { json: { value: 'v', is_secret: false, actors: 'nobody' } };
const grant = { json: { user: 'nobody', level: 'READ' } };

/** What the letters of a line stand for; an execution and a worker that are not given are none. */
export interface Names {
  readonly actor: string;
  readonly alias: string;
  readonly config: string;
  readonly nonce: string;
  readonly execution?: string;
  readonly worker?: string;
}

/** Verb and path of a line. Whole parts of the path, at once: an id may begin with any letter. */
export function requestOf({ request }: Line, { actor, alias, config, nonce, ...rest }: Names): string {
  const { execution = 'RrRrRr', worker = 'RrRrRr' } = rest;
  const letters: Readonly<Record<string, string>> = { A: actor, L: alias, C: config, N: nonce };
  const below: Readonly<Record<string, string>> = { executions: execution, workers: worker };
  return request
    .replace(/(executions|workers)\/RrRrRr/, (_all, kind: string) => `${kind}/${below[kind]}`)
    .replaceAll(/(?<=\/)[ALCN](?=\/|$)/g, (letter) => letters[letter] ?? letter);
}

/** A line as the OpenAPI document writes it: verb and path with its parameters. */
export function patternOf(line: string): string {
  return line
    .replace('/search/actors', '/search/{search_type}')
    .replace('/A', '/{actor_id}')
    .replace('/L', '/{alias}')
    .replace('/C', '/{config}')
    .replace('/N', '/{nonce_id}')
    .replace('/executions/RrRrRr', '/executions/{execution_id}')
    .replace('/workers/RrRrRr', '/workers/{worker_id}');
}

/** What destroys comes last. */
export const accessTable: readonly Line[] = [
  { request: 'GET /actors/A', on: 'actor', need: 'READ' },
  { request: 'HEAD /actors/A', on: 'actor', need: 'READ' },
  { request: 'PUT /actors/A', on: 'actor', need: 'UPDATE', question: image },
  { request: 'GET /actors/A/state', on: 'actor', need: 'READ' },
  { request: 'POST /actors/A/state', on: 'actor', need: 'UPDATE', question: { json: { a: 1 } } },
  { request: 'GET /actors/A/messages', on: 'actor', need: 'READ' },
  { request: 'POST /actors/A/messages', on: 'actor', need: 'EXECUTE', question: message },
  { request: 'POST /actors/A/messages/batch', on: 'actor', need: 'EXECUTE', question: { json: { messages: ['m'] } } },
  { request: 'DELETE /actors/A/messages', on: 'actor', need: 'UPDATE' },
  { request: 'GET /actors/A/executions', on: 'actor', need: 'READ' },
  { request: 'GET /actors/A/executions/RrRrRr', on: 'actor', need: 'READ' },
  { request: 'DELETE /actors/A/executions/RrRrRr', on: 'actor', need: 'UPDATE' },
  { request: 'GET /actors/A/executions/RrRrRr/logs', on: 'actor', need: 'READ' },
  { request: 'GET /actors/A/executions/RrRrRr/results', on: 'actor', need: 'READ' },
  { request: 'GET /actors/A/executions/RrRrRr/events', on: 'actor', need: 'READ' },
  { request: 'GET /actors/A/workers', on: 'actor', need: 'READ' },
  { request: 'POST /actors/A/workers', on: 'actor', need: 'admin', question: { json: { num: 1 } } },
  { request: 'GET /actors/A/workers/RrRrRr', on: 'actor', need: 'READ' },
  { request: 'DELETE /actors/A/workers/RrRrRr', on: 'actor', need: 'UPDATE' },
  { request: 'GET /actors/A/permissions', on: 'actor', need: 'READ' },
  { request: 'POST /actors/A/permissions', on: 'actor', need: 'UPDATE', question: grant },
  { request: 'GET /actors/A/nonces', on: 'actor', need: 'READ' },
  { request: 'POST /actors/A/nonces', on: 'actor', need: 'UPDATE' },
  { request: 'GET /actors/A/nonces/N', on: 'actor', need: 'READ' },
  { request: 'DELETE /actors/A/nonces/N', on: 'actor', need: 'UPDATE' },
  { request: 'GET /actors/aliases/L', on: 'alias', need: 'READ' },
  { request: 'PUT /actors/aliases/L', on: 'alias', need: 'UPDATE', question: { json: { alias: 'other' } } },
  { request: 'GET /actors/aliases/L/permissions', on: 'alias', need: 'READ' },
  { request: 'POST /actors/aliases/L/permissions', on: 'alias', need: 'UPDATE', question: grant },
  { request: 'GET /actors/aliases/L/nonces', on: 'alias and actor', need: 'READ' },
  { request: 'POST /actors/aliases/L/nonces', on: 'alias and actor', need: 'UPDATE' },
  { request: 'GET /actors/aliases/L/nonces/N', on: 'alias and actor', need: 'READ' },
  { request: 'DELETE /actors/aliases/L/nonces/N', on: 'alias and actor', need: 'UPDATE' },
  { request: 'DELETE /actors/aliases/L', on: 'alias', need: 'UPDATE' },
  { request: 'GET /actors/configs/C', on: 'config', need: 'READ' },
  { request: 'PUT /actors/configs/C', on: 'config', need: 'UPDATE', question: replacement },
  { request: 'GET /actors/configs/C/permissions', on: 'config', need: 'READ' },
  { request: 'POST /actors/configs/C/permissions', on: 'config', need: 'UPDATE', question: grant },
  { request: 'DELETE /actors/configs/C', on: 'config', need: 'UPDATE' },
  { request: 'DELETE /actors/A', on: 'actor', need: 'UPDATE' },
];

/** Routes that name no one thing, which any role may ask. */
export const openTable: readonly string[] = [
  'GET /actors',
  'POST /actors',
  'GET /actors/aliases',
  'POST /actors/aliases',
  'GET /actors/configs',
  'POST /actors/configs',
  'GET /actors/executions',
  'GET /actors/search/actors',
  'GET /actors/utilization',
];

/** Routes whose path says that they are the administrators'. */
export const adminTable: readonly string[] = [
  'GET /actors/admin',
  'GET /actors/admin/workers',
  'GET /actors/admin/executions',
];
