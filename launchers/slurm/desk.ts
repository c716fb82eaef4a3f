/** What is ours of one user on a cluster: the ledger, the run directories, the submissions. */

import type { AttemptRef } from '../../src/launcher/launcher.ts';
import type { Host } from '../host/host.ts';
import { createHostLedger, type HostLedger } from '../host/host-ledger.ts';
import { createHostRuns, type HostRuns } from '../host/host-runs.ts';
import { parseIndex } from './submissions.ts';

export interface Desk {
  readonly owner: string;
  readonly host: Host;
  readonly ledger: HostLedger;
  readonly runs: HostRuns;
  /** Directory with one of each submission. */
  readonly jobs: string;
  /** The attempts of a submission, by element; empty where it is gone. */
  readIndex(submission: string): Promise<readonly (AttemptRef | undefined)[]>;
}

/** @param work - the user's own directory for this installation. */
export function createDesk(owner: string, host: Host, work: string): Desk {
  const jobs = `${work}/jobs`;
  return {
    owner,
    host,
    ledger: createHostLedger(host, `${work}/ledger`),
    runs: createHostRuns(host, `${work}/run`),
    jobs,
    async readIndex(submission) {
      const [part] = await host.readMany([{ path: `${jobs}/${submission}/index`, offset: 0, length: 10_000_000 }]);
      return parseIndex(Buffer.from(part?.bytes ?? []).toString());
    },
  };
}
