/**
 * Calls to where an image's name leads: a registry, where its tokens come from, whereto it sends on. Users name registries,
 * and a registry names the rest; the service calls them from a network that users are not in. So one that is not in the
 * configuration is called at public addresses alone, by TLS; what is connected to is what was looked at.
 */

import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { RegistryAccess } from '../../src/launcher/launcher.ts';
import { mayBePublic } from '../../src/lib/address-rule.ts';
import { createLookUp, PrivateAddressError } from '../../src/lib/look-up.ts';

export interface CallRules {
  /** Host, with its port where it has one. */
  readonly registry: string;
  /** Of a registry that is in the configuration. */
  readonly access: RegistryAccess | undefined;
  readonly signal: AbortSignal;
}

export interface WholeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The largest manifest that registries take. */
const mostBytes = 4 * 1024 * 1024;
const mostMs = 30_000;

const lookUpPublic = createLookUp({ allowPrivate: false });

/** @throws PrivateAddressError for an address, or a way to call it, that is not for users to choose. */
export async function callRegistry(
  url: URL,
  headers: Readonly<Record<string, string>>,
  rules: CallRules,
): Promise<WholeAnswer> {
  const reach = reachOf(url, rules);
  if (reach === 'nowhere') throw new PrivateAddressError(`"${url.origin}" is called by https alone`);
  if (reach === 'public' && !mayBePublic(url))
    throw new PrivateAddressError(`"${url.hostname}" is an address that is not public`);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const signal = AbortSignal.any([rules.signal, AbortSignal.timeout(mostMs)]);
  // A connection of its own: one that is kept would not be looked up again.
  const options = { agent: false, headers, signal, ...(reach === 'public' ? { lookup: lookUpPublic } : {}) };
  send(url, options, resolve).on('error', reject).end();
  const answer = await promise;
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await readBody(answer) };
}

/** Where a URL may lead: anywhere for what is of a registry that the configuration names. Pure. */
export function reachOf(
  url: URL,
  { registry, access }: Pick<CallRules, 'registry' | 'access'>,
): 'anywhere' | 'public' | 'nowhere' {
  const isOwn = access !== undefined && isOfRegistry(url, registry);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isOwn && access.insecure)) return 'nowhere';
  return isOwn ? 'anywhere' : 'public';
}

/** Whether a URL is at the host of a registry, or in its domain: "auth.docker.io" beside "docker.io". Pure. */
export function isOfRegistry({ hostname }: URL, registry: string): boolean {
  const own = new URL(`https://${registry}`).hostname;
  if (hostname === own) return true;
  const labels = own.split('.');
  if (labels.length < 2 || isIP(own) !== 0) return false;
  const domain = labels.slice(labels.length > 2 ? 1 : 0).join('.');
  return hostname === domain || hostname.endsWith(`.${domain}`);
}

async function readBody(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > mostBytes) throw new Error(`it answers with more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
