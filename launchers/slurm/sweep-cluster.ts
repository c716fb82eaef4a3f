/** What a crash left on a cluster, owner by owner; Slurm is asked once for all who have handed something over. */

import type { AttemptRef } from '../../src/launcher/launcher.ts';
import type { Owners } from '../host/owners.ts';
import type { Desk } from './desk.ts';
import type { JobPoller } from './job-poller.ts';
import { type SweepDeskOptions, sweepDesk } from './sweep-desk.ts';

export interface SweepClusterOptions extends Pick<SweepDeskOptions, 'findDead' | 'remove' | 'signal'> {
  readonly owners: Owners;
  readonly poller: Pick<JobPoller, 'jobsOf'>;
  /** Throws for an owner who can have none. */
  readonly deskOf: (owner: string) => Desk;
}

/** Whom Slurm knows nothing of is done with first, so that connections made for a look are few at a time. */
export async function sweepCluster({
  owners,
  poller,
  deskOf,
  ...options
}: SweepClusterOptions): Promise<readonly AttemptRef[]> {
  const { signal } = options;
  const removed: AttemptRef[] = [];
  const asked: Desk[] = [];
  for (const owner of await owners.due()) {
    signal.throwIfAborted();
    const look = async () => {
      const desk = deskOf(owner);
      if (((await desk.host.list(desk.jobs)) ?? []).length === 0)
        return await sweepDesk({ ...options, desk, jobsOf: async () => [] });
      asked.push(desk);
      return { removed: [], isLeft: true };
    };
    removed.push(...(await owners.look(owner, signal, look)));
  }
  // In one turn, as what is asked together is one question.
  const answers = new Map(asked.map(({ owner }) => [owner, poller.jobsOf(owner)]));
  await Promise.allSettled(answers.values());
  for (const desk of asked) {
    signal.throwIfAborted();
    const { owner } = desk;
    const jobsOf = async () => {
      const answer = answers.get(owner) ?? poller.jobsOf(owner);
      // Whoever looks again wants to know what is so then.
      answers.delete(owner);
      return await answer;
    };
    removed.push(...(await owners.look(owner, signal, async () => await sweepDesk({ ...options, desk, jobsOf }))));
  }
  return removed;
}
