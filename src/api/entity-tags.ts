/**
 * Versions as entity tags (RFC 9110 §8.8), so that a client can say which version it has seen: `If-None-Match` spares it
 * what it has, `If-Match` keeps it from writing over what it has not seen. Who sends neither notices nothing.
 *
 * The tag of a state is its version, a number; that of an actor is the version of its record, a dot, and that of its
 * state, which both are shown.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '../actors/actor.ts';
import { ConflictError, InvalidError } from '../errors.ts';

export function stateTag(version: number): string {
  return `"${version}"`;
}

export function actorTag({ version, stateVersion }: Pick<Actor, 'version' | 'stateVersion'>): string {
  return `"${version}.${stateVersion}"`;
}

/** Whether the client has this version; the answer names it in either case. */
export function hasSeen(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  void reply.header('etag', tag);
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  const seen = readTags('If-None-Match', header);
  return seen === '*' || seen.some((one) => one.replace(/^W\//, '') === tag);
}

/** Versions one of which has to be there for the request to do anything; nothing when it does not say. */
export function readIfMatch(request: FastifyRequest): readonly number[] | undefined {
  const header = request.headers['if-match'];
  if (header === undefined) return undefined;
  const tags = readTags('If-Match', header);
  // What the request is about was found, so there is a version.
  if (tags === '*') return undefined;
  // A weak tag never matches. PUT leaves the state alone, so of an actor's tag the part of the record counts.
  return tags.flatMap((tag) => {
    const [, version] = /^"(\d{1,15})(?:\.\d+)?"$/.exec(tag) ?? [];
    return version === undefined ? [] : [Number(version)];
  });
}

export function staleVersion(what: string): ConflictError {
  const help = 'read it again and repeat the change on what is there now';
  return new ConflictError('request.stale', `${what} is refused: If-Match names another version; ${help}`);
}

function readTags(name: string, header: string): '*' | readonly string[] {
  const text = header.trim();
  if (text === '*') return '*';
  const tags = text.split(',').map((tag) => tag.trim());
  if (tags.every((tag) => /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(tag))) return tags;
  throw new InvalidError(
    'request.invalid',
    `Header "${name}" must be "*" or entity tags in quotes, as ETag gives them`,
  );
}
