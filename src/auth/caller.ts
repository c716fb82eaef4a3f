/** Who asks: the tenant, the user with their roles, and the execution whose token was shown, if one was. */

import type { ActorStore } from '../actors/actor-store.ts';
import { ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError } from '../errors.ts';
import type { ExecutionStore } from '../executions/execution-store.ts';
import type { Clock } from '../lib/clock.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import { permissionFor, type Verb } from './decide-access.ts';
import { type ExecutionToken, parseExecutionToken } from './execution-token.ts';
import { type JwtVerdict, readJwt } from './jwt.ts';
import { type Nonce, tenantOfNonce } from './nonce.ts';
import type { NonceStore } from './nonce-store.ts';
import type { ObjectRef } from './permission.ts';
import { everyRole, isMember } from './roles.ts';
import type { TenantRule, Tenants } from './tenants.ts';

export interface Caller {
  readonly tenant: string;
  readonly user: string;
  readonly roles: readonly string[];
  /** There when a running execution asks with its token: it has the rights of its actor's owner on what is the owner's. */
  readonly execution?: ActorRef & { readonly executionId: string };
  /** There when it was a nonce that let the caller in: nothing else than its object, and to no higher level, is reached. */
  readonly nonce?: Pick<Nonce, 'object' | 'level'>;
  /** Name of the header that brought the token, as programs are told it (contract §9.2). */
  readonly jwtHeaderName?: string;
}

/** Headers by their lower-case names, as Node gives them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface IdentifyOptions {
  readonly actors: Pick<ActorStore, 'get'>;
  readonly executions: Pick<ExecutionStore, 'authenticate'>;
  readonly nonces: Pick<NonceStore, 'redeem'>;
  readonly acceptNonces: boolean;
  readonly tenants: Tenants;
  /** Role that lets its holder in. */
  readonly userRole: string;
  readonly millisecondExpiry: boolean;
  readonly clock: Clock;
  /** Nothing but the token of a running execution, or a nonce, is accepted: for addresses that containers can reach. */
  readonly tokensOnly: boolean;
}

/** What a request shows of itself, before anything is known of who sent it. */
export interface Shown {
  readonly headers: Headers;
  /** Id of a nonce, from the query. */
  readonly nonce: string | undefined;
  /** What the path names, if it names one thing: a nonce is good for that alone. */
  readonly target: Pick<ObjectRef, 'kind' | 'id'> | undefined;
  /** Whether it asks over all there is, and is told so where it may not. */
  readonly isSearch: boolean;
  readonly verb: Verb;
}

/** As in the token of an execution, whose parts are separated by dots. */
const tenantText = /^(?=.{1,63}$)[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;

/** The user of everyone who needs no credential. */
export const anonymous = 'anonymous';

/**
 * The token of an execution comes first, and one that is not valid ends the request. Then it is the tenant's rule: with
 * mode `none` everyone is `anonymous` and may do everything, and what they show is passed over; else a signed token, and
 * where there is no valid one, a nonce.
 */
export async function identifyCaller(shown: Shown, options: IdentifyOptions): Promise<Caller> {
  const { headers } = shown;
  const bearer = /^Bearer +(\S+)$/i.exec(one(headers['authorization']) ?? '')?.[1];
  const token = parseExecutionToken(bearer ?? '');
  if (token) return await identifyExecution(token, options);
  const nonce = options.acceptNonces ? shown.nonce : undefined;
  if (options.tokensOnly) {
    if (nonce !== undefined) return await identifyByNonce(nonce, shown, options);
    throw unauthenticated(onlyTokens);
  }
  const assertion = findAssertion(headers);
  const jwt = assertion?.jwt ?? bearer;
  const tenant = assertion?.tenant ?? tenantOf(headers, jwt === undefined ? nonce : undefined, options.tenants);
  const rule = options.tenants.rule(tenant);
  if (rule?.mode === 'none') return { tenant, user: anonymous, roles: [everyRole] };
  const reading = { now: options.clock.now(), millisecondExpiry: options.millisecondExpiry };
  const verdict = rule && jwt !== undefined ? readJwt(jwt, rule.key, reading) : undefined;
  if (!rule || !verdict || 'refusal' in verdict) {
    if (nonce !== undefined) return await identifyByNonce(nonce, shown, options);
    throw unauthenticated(whyNot(tenant, rule, verdict));
  }
  const { user, roles = rule.defaultRoles } = verdict.claims;
  if (!isMember(roles, options.userRole)) {
    throw new ForbiddenError('request.forbidden', 'Not authorized -- missing required role.');
  }
  return { tenant, user, roles, ...(assertion ? { jwtHeaderName: assertion.header } : {}) };
}

function whyNot(tenant: string, rule: TenantRule | undefined, verdict: JwtVerdict | undefined): string {
  if (!rule) return `Tenant "${tenant}" is none of this installation`;
  if (!verdict || !('refusal' in verdict)) return `Send one as "X-Jwt-Assertion-${tenant}" or as a bearer token`;
  return `The JWT for tenant "${tenant}" is refused: ${verdict.refusal}`;
}

/** The tenant of a request whose token names none: that of its header, of its nonce, or the default one. */
function tenantOf(headers: Headers, nonce: string | undefined, { defaultTenant }: Tenants): string {
  const named = one(headers['tenant']);
  if (named !== undefined) return readTenant(named);
  return (nonce === undefined ? undefined : tenantOfNonce(nonce)) ?? defaultTenant;
}

/** Acts as the one who made it, with the roles of then. A use is spent, whatever becomes of the request. */
async function identifyByNonce(
  id: string,
  { target, verb, isSearch }: Shown,
  options: IdentifyOptions,
): Promise<Caller> {
  if (!target && isSearch) throw new NotFoundError('nonce.refused', noSearch);
  if (!target) throw new ForbiddenError('nonce.refused', 'Not authorized.');
  const tenant = tenantOfNonce(id);
  if (tenant === undefined || !options.tenants.rule(tenant)) throw nonceRefused(nonceRefusals.unknown);
  const redemption = await options.nonces.redeem({ ...target, tenant }, id, permissionFor(verb));
  if (redemption.kind !== 'redeemed') throw nonceRefused(nonceRefusals[redemption.kind]);
  const { owner: user, roles, object, level } = redemption.nonce;
  // What everybody has where nobody asks is no role to take along, should the tenant ask for tokens since.
  return { tenant, user, roles: roles.filter((role) => role !== everyRole), nonce: { object, level } };
}

const noSearch =
  'A nonce cannot search over actors: it is good for the one actor or alias it was made of; send a JWT instead';

const nonceRefusals = {
  unknown: 'Nonce does not exist.',
  'too-low': 'Nonce does not have sufficient permissions level.',
  'used-up': 'No remaining uses left for this nonce.',
} as const;

function nonceRefused(message: string): UnauthenticatedError {
  return new UnauthenticatedError('nonce.refused', message);
}

const onlyTokens = 'This address answers only requests with the access token of a running execution, or with a nonce';

/** The contract's words first: clients know them. */
function unauthenticated(why: string): UnauthenticatedError {
  return new UnauthenticatedError('request.unauthenticated', `No JWT or nonce provided. ${why}`);
}

async function identifyExecution(token: ExecutionToken, options: IdentifyOptions): Promise<Caller> {
  const { tenant, actorId, executionId, secret } = token;
  const execution = { tenant, actorId, executionId };
  const valid = await options.executions.authenticate(execution, executionId, secret);
  const actor = valid ? await options.actors.get(tenant, actorId) : undefined;
  if (!actor) {
    const why = 'it is not one we gave out, or the execution has ended';
    throw new UnauthenticatedError(
      'request.unauthenticated',
      `Token of execution "${executionId}" is not valid: ${why}`,
    );
  }
  return { tenant, user: actor.owner, roles: [], execution };
}

interface Assertion {
  readonly jwt: string;
  /** Nothing where the header names none. */
  readonly tenant: string | undefined;
  readonly header: string;
}

const assertionPrefix = 'x-jwt-assertion-';

/** A gateway's header, whose name ends with the tenant; `Assertion` is the same for the default tenant. */
function findAssertion(headers: Headers): Assertion | undefined {
  const name = Object.keys(headers).find((key) => key.startsWith(assertionPrefix)) ?? 'assertion';
  const jwt = one(headers[name]);
  if (jwt === undefined) return undefined;
  const tenant = name === 'assertion' ? undefined : name.slice(assertionPrefix.length).toUpperCase();
  return { jwt, tenant, header: name.replaceAll(/(^|-)[a-z]/g, (start) => start.toUpperCase()) };
}

function one(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'object' ? header.join(',') : header;
}

function readTenant(header: string): string {
  if (tenantText.test(header)) return header.toUpperCase();
  throw new InvalidError(
    'request.invalid',
    'Header "tenant" does not name a tenant; letters, digits, "-", "_" and single dots make one, 63 at most',
  );
}
