/**
 * Where nobody has to show a token, being on this machine is what lets in; and a browser on this machine sends whatever
 * any page of the world tells it to, also to a name of that page's own that leads here. What tells such a request is its
 * `Origin`, or the name in its `Host`: no page can choose either. Pure.
 */

import { ForbiddenError } from '../errors.ts';
import { isLoopback } from '../lib/bridge-address.ts';
import type { Headers } from './caller.ts';

/** @returns the refusal; nothing where the request is of this machine's own programs and pages. */
export type ForeignCheck = (headers: Headers) => ForbiddenError | undefined;

/** @param ownUrls - where we are reached besides loopback; empty ones are none. */
export function createForeignCheck(ownUrls: readonly string[]): ForeignCheck {
  const own = ownUrls.map(parseUrl).filter((url) => url !== undefined);
  const origins = new Set(own.map(({ origin }) => origin));
  const hosts = new Set(own.map(({ hostname }) => hostname));
  return ({ origin, host }) => {
    if (origin !== undefined) {
      const url = parseUrl(String(origin));
      if (!url || !(isHere(url) || origins.has(url.origin))) return refusal('Origin', origin);
    }
    // Every browser sends one.
    if (host === undefined) return undefined;
    const url = parseUrl(`http://${String(host)}`);
    return url && (isHere(url) || hosts.has(url.hostname)) ? undefined : refusal('Host', host);
  };
}

function isHere({ hostname }: URL): boolean {
  return isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** Nothing also for `null`, the origin of files and of pages that hide theirs. */
function parseUrl(text: string): URL | undefined {
  return URL.parse(text) ?? undefined;
}

function refusal(header: string, value: string | readonly string[]): ForbiddenError {
  const shown = JSON.stringify(String(value).slice(0, 200));
  const why = 'no token is asked for here, so only programs and pages of this machine are let in';
  const help = 'configure a tenant whose users show tokens ([tenants.NAME]), or say in service.public_url where we are';
  return new ForbiddenError('request.foreign', `Request with ${header} ${shown} is refused: ${why}; ${help}`);
}
