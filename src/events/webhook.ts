/**
 * Tells a webhook of an event: one POST, whose outcome is a value. The URL is a user's, so the address it leads to is
 * checked where it counts: what the name resolves to is what is connected to. Redirects are not followed, of the answer
 * only the status is wanted, and all of it has one time limit.
 */

import { createHmac } from 'node:crypto';
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { asError } from '../errors.ts';
import { mayBePublic } from '../lib/address-rule.ts';
import { PrivateAddressError } from '../lib/look-up.ts';

export interface WebhookPost {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface WebhookRules {
  readonly allowPrivate: boolean;
  /** Made for the same `allowPrivate` (`createLookUp`). */
  readonly lookUp: LookupFunction;
  readonly timeoutMs: number;
}

/** `refused` is final: to try again would end the same. */
export type WebhookOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed' | 'refused'; readonly reason: string };

/** An answer is read so far, so that a server that says little is not cut off; what it says does not matter. */
const mostAnswerBytes = 64 * 1024;

/** Statuses that ask for another try. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

export async function postWebhook(
  post: WebhookPost,
  rules: WebhookRules,
  signal: AbortSignal,
): Promise<WebhookOutcome> {
  const problem = webhookProblem(post.url, rules.allowPrivate);
  if (problem !== undefined) return { kind: 'refused', reason: problem };
  try {
    return judge(await statusOf(new URL(post.url), post, rules, signal));
  } catch (thrown) {
    if (thrown instanceof PrivateAddressError) return { kind: 'refused', reason: notPublic };
    const error = asError(thrown);
    const isLate = error.name === 'TimeoutError' || error.name === 'AbortError';
    return { kind: 'failed', reason: isLate ? `no answer within ${rules.timeoutMs} ms` : error.message };
  }
}

/** Why a webhook can never be called at this URL; nothing when it may. Of a name this is found out when it is called. */
export function webhookProblem(text: string, allowPrivate: boolean): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return 'it is no http:// or https:// URL';
  return allowPrivate || mayBePublic(new URL(text)) ? undefined : notPublic;
}

/** The value of `X-Abaco-Signature`: when it was signed, in seconds, and HMAC-SHA256 over that, a dot and the body. */
export function signWebhook(body: string, key: string, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1_000);
  return `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`;
}

/** Each actor signs with a key of its own, so that who can verify one cannot sign for another. */
export function webhookKey(signingKey: string, actorDbId: string): string {
  return createHmac('sha256', signingKey).update(actorDbId).digest('hex');
}

const notPublic = 'it leads to an address that is not public; the setting events.allow_private would allow it';

function judge(status: number): WebhookOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  const kind = status >= 500 || passing.has(status) ? 'failed' : 'refused';
  return { kind, reason: `it answered with status ${status}` };
}

async function statusOf(url: URL, post: WebhookPost, rules: WebhookRules, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const request: ClientRequest = send(url, {
    method: 'POST',
    // A connection of its own: one that is kept would not be looked up again.
    agent: false,
    lookup: rules.lookUp,
    signal: AbortSignal.any([signal, AbortSignal.timeout(rules.timeoutMs)]),
    headers: { ...post.headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(post.body) },
  });
  let status: number | undefined;
  // However the answer ends, its status has been said.
  request.on('error', (error) => (status === undefined ? reject(error) : resolve(status)));
  request.once('response', (response) => {
    const said = response.statusCode ?? 0;
    status = said;
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > mostAnswerBytes) request.destroy();
    });
    response.on('error', () => undefined);
    response.once('close', () => resolve(said));
  });
  request.end(post.body);
  try {
    return await promise;
  } finally {
    request.destroy();
  }
}
