/** Who asks: the tenant, the user with their roles, and the execution whose token was shown, if one was. */

import type { ActorStore } from '../actors/actor-store.ts';
import { ForbiddenError, InvalidError, UnauthenticatedError } from '../errors.ts';
import type { ExecutionStore } from '../executions/execution-store.ts';
import type { Clock } from '../lib/clock.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import { type ExecutionToken, parseExecutionToken } from './execution-token.ts';
import { readJwt } from './jwt.ts';
import { assumedRole, everyRole, isMember } from './roles.ts';
import type { Tenants } from './tenants.ts';

export interface Caller {
  readonly tenant: string;
  readonly user: string;
  readonly roles: readonly string[];
  /** There when a running execution asks with its token: it has the rights of its actor's owner on what is the owner's. */
  readonly execution?: ActorRef & { readonly executionId: string };
  /** Name of the header that brought the token, as programs are told it (contract §9.2). */
  readonly jwtHeaderName?: string;
}

/** Headers by their lower-case names, as Node gives them. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface IdentifyOptions {
  readonly actors: Pick<ActorStore, 'get'>;
  readonly executions: Pick<ExecutionStore, 'authenticate'>;
  readonly tenants: Tenants;
  /** Role that lets its holder in. */
  readonly userRole: string;
  readonly millisecondExpiry: boolean;
  readonly clock: Clock;
  /** Nothing but the token of a running execution is accepted: for addresses that containers can reach. */
  readonly tokensOnly: boolean;
}

/** As in the token of an execution, whose parts are separated by dots. */
const tenantText = /^(?=.{1,63}$)[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;

/** The user of everyone who needs no credential. */
export const anonymous = 'anonymous';

/**
 * The token of an execution comes first, and one that is not valid ends the request. Else it is the tenant's rule: with
 * mode `none` everyone is `anonymous` and may do everything, and what tokens they show is passed over.
 */
export async function identifyCaller(headers: Headers, options: IdentifyOptions): Promise<Caller> {
  const bearer = /^Bearer +(\S+)$/i.exec(one(headers['authorization']) ?? '')?.[1];
  const token = parseExecutionToken(bearer ?? '');
  if (token) return await identifyExecution(token, options);
  if (options.tokensOnly) throw unauthenticated(onlyTokens);
  const assertion = findAssertion(headers);
  const tenant = assertion?.tenant ?? readTenant(one(headers['tenant']), options.tenants.defaultTenant);
  const rule = options.tenants.rule(tenant);
  if (!rule) throw unauthenticated(`Tenant "${tenant}" is none of this installation`);
  if (rule.mode === 'none') return { tenant, user: anonymous, roles: [everyRole] };
  const jwt = assertion?.jwt ?? bearer;
  if (jwt === undefined) {
    throw unauthenticated(`Send one as "X-Jwt-Assertion-${tenant}" or as a bearer token`);
  }
  const verdict = readJwt(jwt, rule.key, { now: options.clock.now(), millisecondExpiry: options.millisecondExpiry });
  if ('refusal' in verdict) throw unauthenticated(`The JWT for tenant "${tenant}" is refused: ${verdict.refusal}`);
  const { user, roles = [assumedRole] } = verdict.claims;
  if (!isMember(roles, options.userRole)) {
    throw new ForbiddenError('request.forbidden', 'Not authorized -- missing required role.');
  }
  return { tenant, user, roles, ...(assertion ? { jwtHeaderName: assertion.header } : {}) };
}

const onlyTokens = 'This address answers only requests with the access token of a running execution';

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

function readTenant(header: string | undefined, defaultTenant: string): string {
  if (header === undefined) return defaultTenant;
  if (tenantText.test(header)) return header.toUpperCase();
  throw new InvalidError(
    'request.invalid',
    'Header "tenant" does not name a tenant; letters, digits, "-", "_" and single dots make one, 63 at most',
  );
}
