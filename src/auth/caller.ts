/** Who asks: the tenant, the user, and the execution whose token was shown, if one was. */

import type { ActorStore } from '../actors/actor-store.ts';
import { InvalidError, UnauthenticatedError } from '../errors.ts';
import type { ExecutionStore } from '../executions/execution-store.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import { parseExecutionToken } from './execution-token.ts';

export interface Caller {
  readonly tenant: string;
  readonly user: string;
  /** There when a running execution asks with its token: it has the rights of its actor's owner on what is the owner's. */
  readonly execution?: ActorRef & { readonly executionId: string };
}

export interface Credentials {
  /** Header `Authorization`. */
  readonly authorization: string | undefined;
  /** Header `tenant`. */
  readonly tenant: string | undefined;
}

export interface IdentifyOptions {
  readonly actors: Pick<ActorStore, 'get'>;
  readonly executions: Pick<ExecutionStore, 'authenticate'>;
  readonly defaultTenant: string;
  /** Nothing but the token of a running execution is accepted: for addresses that containers can reach. */
  readonly tokensOnly: boolean;
}

/** As in the token of an execution, whose parts are separated by dots. */
const tenantText = /^(?=.{1,63}$)[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;

/** The user of everyone who needs no credential. */
const anonymous = 'anonymous';

/**
 * Without authentication everyone is `anonymous` and may do everything. A bearer token that is none of ours is passed
 * over, as the original does; one of ours that is not valid ends the request.
 */
export async function identifyCaller(credentials: Credentials, options: IdentifyOptions): Promise<Caller> {
  const token = parseExecutionToken(bearerOf(credentials.authorization) ?? '');
  if (!token) {
    if (options.tokensOnly) throw new UnauthenticatedError('request.unauthenticated', noCredential);
    return { tenant: readTenant(credentials.tenant, options.defaultTenant), user: anonymous };
  }
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
  return { tenant, user: actor.owner, execution };
}

const noCredential =
  'No JWT or nonce provided. This address answers only requests with the access token of a running execution';

function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

function readTenant(header: string | undefined, defaultTenant: string): string {
  if (header === undefined) return defaultTenant.toUpperCase();
  if (tenantText.test(header)) return header.toUpperCase();
  throw new InvalidError(
    'request.invalid',
    'Header "tenant" does not name a tenant; letters, digits, "-", "_" and single dots make one, 63 at most',
  );
}
