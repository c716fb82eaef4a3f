/** Bodies of requests as they came, and what they say by their content type. */

import { parse as parseQuery } from 'node:querystring';
import type { FastifyRequest } from 'fastify';
import { asError, InvalidError } from '../errors.ts';
import { parseExactJson } from '../lib/exact-json.ts';
import { memberSources } from './json-members.ts';
import type { Fields } from './request-fields.ts';

/** The type without its parameters, in lower case; empty where none was given. */
export function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || /^application\/[\w.-]+\+json$/.test(mediaType);
}

/** Deeper JSON than this is nobody's data, and readers that recurse would die of it. */
const maxDepth = 512;

/** Throws `InvalidError` with `what` and the reason. */
export function parseJson(text: string, what: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    if (isDeeper(value, maxDepth)) throw new RangeError(`it is nested deeper than ${maxDepth} levels`);
    return value;
  } catch (thrown) {
    throw new InvalidError(
      'request.invalid',
      `${what}: the body is not JSON that can be read: ${asError(thrown).message}`,
    );
  }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

/**
 * Fields of a request whose body has to be an object, a form, or nothing at all.
 *
 * @param exact members that are mappings whose numbers keep their digits (`parseExactJson`).
 */
export async function readRequestFields(
  request: FastifyRequest,
  what: string,
  exact: readonly string[] = [],
): Promise<Fields> {
  const contentType = request.headers['content-type'];
  const body = bodyOf(request);
  const mediaType = mediaTypeOf(contentType);
  const fields = { query: queryOf(request), form: new Map<string, readonly string[]>(), json: {} };
  if (body.length === 0) return fields;
  if (isJson(mediaType)) {
    const text = body.toString();
    const json = asObject(parseJson(text, what), what);
    const kept = exact.filter((name) => typeof json[name] === 'object' && json[name] !== null);
    if (kept.length === 0) return { ...fields, json };
    const sources = memberSources(text);
    const members = kept.map((name) => [name, parseExactJson(sources.get(name) ?? '{}')]);
    return { ...fields, json: { ...json, ...Object.fromEntries(members) } };
  }
  if (isForm(mediaType)) return { ...fields, form: await parseForm(body, contentType ?? '', what) };
  const known = 'application/json, application/x-www-form-urlencoded or multipart/form-data';
  throw new InvalidError('request.invalid', `${what}: Content-Type "${mediaType}" is not read here; send ${known}`);
}

/** The whole body; empty where there was none, and where it is read as a stream. */
export function bodyOf(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

export function queryOf(request: FastifyRequest): ReadonlyMap<string, readonly string[]> {
  return asLists(request.query as Record<string, string | string[]>);
}

export function isForm(mediaType: string): boolean {
  return mediaType === 'application/x-www-form-urlencoded' || mediaType === 'multipart/form-data';
}

/** Fields of a form; files in it are none. */
export async function parseForm(
  body: Buffer,
  contentType: string,
  what: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (mediaTypeOf(contentType) === 'application/x-www-form-urlencoded') {
    return asLists(parseQuery(body.toString(), '&', '=', { maxKeys: 0 }));
  }
  try {
    const form = await new Response(body, { headers: { 'content-type': contentType } }).formData();
    const fields = [...new Set(form.keys())].map((name) => [
      name,
      form.getAll(name).filter((value) => typeof value === 'string'),
    ]);
    return new Map(fields as [string, string[]][]);
  } catch {
    throw new InvalidError('request.invalid', `${what}: the body is not a form that can be read`);
  }
}

function asLists(
  record: Readonly<Record<string, string | string[] | undefined>>,
): ReadonlyMap<string, readonly string[]> {
  const entries = Object.entries(record);
  return new Map(entries.map(([name, value]) => [name, value === undefined ? [] : [value].flat()]));
}

function asObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InvalidError('request.invalid', `${what}: the body must be a JSON object`);
}
