/** Plays the worker of an actor: takes the oldest message and takes its execution from start to end. */

import { createHash, randomBytes } from 'node:crypto';
import { renderExecutionToken } from '../../src/auth/execution-token.ts';
import { type Claimed, type Settlement, stateOfEnd } from '../../src/executions/execution.ts';
import type { ApiService } from './api-service.ts';

export interface PlayedExecution {
  readonly id: string;
  readonly claimed: Claimed;
  /** The program starts. @returns what the container finds as its access token. */
  start(): Promise<string>;
  results(...results: readonly (string | Uint8Array)[]): Promise<void>;
  end(
    settlement?: Partial<Omit<Settlement, 'log'>> & { readonly log?: string; readonly truncated?: boolean },
  ): Promise<void>;
}

export const playedWorkerId = 'RrRrRr';

export async function takeMessage({ services }: ApiService, actorId: string, tenant = 'DEV'): Promise<PlayedExecution> {
  const { mailbox } = services;
  const outcome = await mailbox.claim(
    { tenant, actorId },
    { workerId: playedWorkerId, leaseMs: 60_000, workersPerActor: 8 },
  );
  if (outcome.kind !== 'leased') throw new Error(`There was no message to take: ${outcome.kind}`);
  const { claimed } = outcome;
  const { lease } = claimed;
  let sent = 0;
  return {
    id: lease.executionId,
    claimed,
    async start() {
      const secret = randomBytes(32).toString('base64url');
      const tokenHash = createHash('sha256').update(secret).digest('hex');
      const notAfter = new Date(Date.now() + 60_000);
      await mailbox.recordIntent(lease, { attempt: 1, launcher: 'played', notAfter, tokenHash });
      await mailbox.running(lease, new Date(), 'node-1');
      return renderExecutionToken({ tenant, actorId, executionId: lease.executionId, secret });
    },
    async results(...results) {
      const bodies = results.map((result) => ({ inline: Buffer.from(result as Uint8Array) }));
      sent = Number(await mailbox.appendResults(lease, sent, bodies));
    },
    async end({ log = '', truncated = false, ...settlement } = {}) {
      const finishedAt = new Date();
      const body = { inline: Buffer.from(log) };
      const ended = { end: 'exited', exitCode: 0, ...settlement } as const;
      await mailbox.settle(lease, {
        state: stateOfEnd(ended, 'complete'),
        startedAt: new Date(finishedAt.getTime() - 1_500),
        finishedAt,
        ...ended,
        log: { body, truncated },
      });
    },
  };
}
