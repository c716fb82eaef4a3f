/** What is ours of one user on a host: the ledger, the run directories, and the processes there. */

import type { AttemptRef } from '../../src/launcher/launcher.ts';
import { type Account, createAccount } from '../host/account.ts';
import { lastWords } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { createHostLedger, type HostLedger } from '../host/host-ledger.ts';
import { createHostRuns, type HostRuns } from '../host/host-runs.ts';
import { parseStarter, type Starter } from './process-table.ts';
import { createProcessWatch, type ProcessWatch } from './process-watch.ts';
import { startFiles } from './start-script.ts';

export interface Desk {
  readonly owner: string;
  readonly host: Host;
  readonly account: Account;
  readonly ledger: HostLedger;
  readonly runs: HostRuns;
  readonly processes: ProcessWatch;
  /** Which processes were started for an attempt, the last one last: a launch may have been repeated. */
  startersOf(ref: AttemptRef): Promise<readonly Starter[]>;
  /** What Apptainer said when it started an attempt. */
  startOutput(ref: AttemptRef): Promise<string>;
}

export interface DeskOptions {
  readonly owner: string;
  readonly host: Host;
  /** The user's own directory for this installation. */
  readonly work: string;
  readonly pollMs: number;
  readonly leaving: AbortSignal;
}

export function createDesk({ owner, host, work, pollMs, leaving }: DeskOptions): Desk {
  const runs = createHostRuns(host, `${work}/run`);
  const ledger = createHostLedger(host, `${work}/ledger`);
  return {
    owner,
    host,
    account: createAccount(owner, host),
    ledger,
    runs,
    processes: createProcessWatch(host, pollMs, leaving),
    startersOf: async (ref) =>
      (await ledger.readStarters(ref)).map(parseStarter).filter((starter) => starter !== undefined),
    async startOutput(ref) {
      const path = `${runs.pathOf(ref)}/${startFiles.output}`;
      const [part] = await host.readMany([{ path, offset: 0, length: 64_000 }]);
      const text = Buffer.from(part?.bytes ?? []).toString();
      return text === '' ? '' : lastWords(text);
    },
  };
}
