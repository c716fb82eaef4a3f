/**
 * Who asks Slurm. Where one account sees all jobs, one question an interval is enough for everybody's. Where the site
 * hides jobs of others and there is no such account, each user's are asked for as that user, and only while there are any.
 */

import type { Host } from '../host/host.ts';
import type { HostPool } from '../host/host-pool.ts';
import { createJobPoller, type JobPoller, type JobPollerOptions } from './job-poller.ts';

/** Setting `poll_as` of one question per user. */
export const pollAsOwners = 'owners';

/** The host of the account that asks; nothing where each user's jobs are asked for by themselves. */
export function pollingHost(pool: HostPool, pollAs: string): Host | undefined {
  if (pollAs === pollAsOwners) return undefined;
  return pollAs === '' ? pool.service : pool.of(pollAs);
}

export function createPolling(pool: HostPool, pollAs: string, options: Omit<JobPollerOptions, 'host'>): JobPoller {
  const host = pollingHost(pool, pollAs);
  return host ? createJobPoller({ ...options, host }) : pollByOwner((owner) => pool.of(owner), options);
}

/** A poller for each user, which asks nothing while none of the user's jobs is followed. */
export function pollByOwner(hostOf: (owner: string) => Host, options: Omit<JobPollerOptions, 'host'>): JobPoller {
  const pollers = new Map<string, JobPoller>();

  function of(owner: string): JobPoller {
    const known = pollers.get(owner) ?? createJobPoller({ ...options, host: hostOf(owner) });
    pollers.set(owner, known);
    return known;
  }

  return {
    follow: (job, signal, listen) => of(job.user).follow(job, signal, listen),
    findByName: async (name, user) => await of(user).findByName(name, user),
    jobsOf: async (user) => await of(user).jobsOf(user),
    account: async (job, withinMs) => await of(job.user).account(job, withinMs),
    trouble: () => [...pollers.values()].map((poller) => poller.trouble()).find((error) => error !== undefined),
    close: () => pollers.forEach((poller) => poller.close()),
  };
}
