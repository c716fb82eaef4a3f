/**
 * The access token an execution is given: `abaco_x1.TENANT.ACTOR.EXECUTION.SECRET`. It names its execution, so that it is
 * checked without a search; only the secret's hash is kept, and it dies with the execution.
 */

export interface ExecutionToken {
  readonly tenant: string;
  readonly actorId: string;
  readonly executionId: string;
  readonly secret: string;
}

const pattern =
  /^abaco_x1\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\.([A-Za-z0-9]+)\.([A-Za-z0-9]+)\.([A-Za-z0-9_-]{43})$/;

export function renderExecutionToken(token: ExecutionToken): string {
  return `abaco_x1.${token.tenant}.${token.actorId}.${token.executionId}.${token.secret}`;
}

/** @returns nothing when the text is no such token. */
export function parseExecutionToken(text: string): ExecutionToken | undefined {
  const [, tenant, actorId, executionId, secret] = pattern.exec(text) ?? [];
  if (!tenant || !actorId || !executionId || !secret) return undefined;
  return { tenant, actorId, executionId, secret };
}
