/** What is ours of one user on a cluster: the ledger, the run directories, the submissions. */

import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import { type Account, createAccount } from '../host/account.ts';
import type { Host } from '../host/host.ts';
import { createHostLedger, type HostLedger } from '../host/host-ledger.ts';
import { createHostRuns, type HostRuns } from '../host/host-runs.ts';
import { readTogether } from '../host/read-together.ts';
import { createRunReader, type RunReader } from '../host/run-reader.ts';
import { createKeptRuns, type KeptRuns } from './kept-runs.ts';
import { parseIndex } from './submissions.ts';

export interface Desk {
  readonly owner: string;
  /** Reads together: however many attempts are looked at in one turn, it is one round. */
  readonly host: Host;
  readonly account: Account;
  readonly ledger: HostLedger;
  readonly runs: HostRuns;
  readonly reader: RunReader;
  readonly kept: KeptRuns;
  /** Directory with one of each submission. */
  readonly jobs: string;
  /** The attempts of a submission, by element; empty where it is gone. */
  readIndex(submission: string): Promise<readonly (AttemptRef | undefined)[]>;
  /** What stands in the output of an attempt's job: what Slurm says there, as the program writes elsewhere. Empty without. */
  readJobOutput(ref: AttemptRef): Promise<string>;
}

export interface DeskOptions {
  /** The user's own directory for this installation. */
  readonly work: string;
  /** How long run directories that are kept on request stay. */
  readonly keepMs: number;
}

export function createDesk(owner: string, ofOwner: Host, { work, keepMs }: DeskOptions): Desk {
  const host = readTogether(ofOwner);
  const jobs = `${work}/jobs`;
  const ledger = createHostLedger(host, `${work}/ledger`);
  const runs = createHostRuns(host, `${work}/run`);

  async function readText(path: string, most: number): Promise<string> {
    const [part] = await host.readMany([{ path, offset: 0, length: most }]);
    return Buffer.from(part?.bytes ?? []).toString();
  }

  async function readIndex(submission: string): Promise<readonly (AttemptRef | undefined)[]> {
    return parseIndex(await readText(`${jobs}/${submission}/index`, 10_000_000));
  }

  return {
    owner,
    host,
    account: createAccount(owner, host),
    ledger,
    runs,
    reader: createRunReader(host, (ref) => runs.pathOf(ref)),
    kept: createKeptRuns({ host, runs, directory: `${work}/kept`, keepMs }),
    jobs,
    readIndex,
    async readJobOutput(ref) {
      const submission = (await ledger.readSubmission(ref)) ?? '';
      if (submission === '') return '';
      const element = (await readIndex(submission)).findIndex(
        (member) => member && attemptKey(member) === attemptKey(ref),
      );
      return element === -1 ? '' : await readText(`${jobs}/${submission}/${element}.out`, 65_536);
    },
  };
}
