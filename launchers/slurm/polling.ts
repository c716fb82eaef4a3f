/**
 * Who asks Slurm. Where one account sees all jobs, one question an interval is enough for everybody's. Where the site
 * hides jobs of others and there is no such account, each user's are asked for as that user, and only while there are any.
 */

import type { Host } from '../host/host.ts';
import type { HostPool } from '../host/host-pool.ts';
import { createJobPoller, type JobPoller, type JobPollerOptions } from './job-poller.ts';
import type { SlurmOptions } from './slurm-options.ts';

/** Setting `poll_as` of one question per user. */
export const pollAsOwners = 'owners';

type Accounts = Pick<HostPool, 'service' | 'of'>;
type Asking = Pick<SlurmOptions, 'poll_as' | 'user'>;

/** The host of the account that asks; nothing where each user's jobs are asked for by themselves. */
export function pollingHost(pool: Accounts, { poll_as: pollAs, user }: Asking): Host | undefined {
  if (pollAs === pollAsOwners) return undefined;
  return askingHost(pool, pollAs === '' ? user : pollAs, user);
}

export function createPolling(pool: Accounts, asking: Asking, options: Omit<JobPollerOptions, 'host'>): JobPoller {
  const host = pollingHost(pool, asking);
  if (host) return createJobPoller({ ...options, host });
  return pollByOwner((owner) => askingHost(pool, owner, asking.user), options);
}

/** The service's account asks for itself, also where it runs no program of a user: images are built as its jobs. */
function askingHost(pool: Accounts, account: string, user: string): Host {
  return account === user ? pool.service : pool.of(account);
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
