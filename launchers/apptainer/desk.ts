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
  /** Which process was started last for an attempt; nothing where none was, or its run directory is gone. */
  starterOf(ref: AttemptRef): Promise<Starter | undefined>;
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
  const read = async (ref: AttemptRef, file: string): Promise<string> => {
    const [part] = await host.readMany([{ path: `${runs.pathOf(ref)}/${file}`, offset: 0, length: 64_000 }]);
    return Buffer.from(part?.bytes ?? []).toString();
  };
  return {
    owner,
    host,
    account: createAccount(owner, host),
    ledger: createHostLedger(host, `${work}/ledger`),
    runs,
    processes: createProcessWatch(host, pollMs, leaving),
    starterOf: async (ref) => parseStarter((await read(ref, startFiles.starter)).trim()),
    async startOutput(ref) {
      const text = await read(ref, startFiles.output);
      return text === '' ? '' : lastWords(text);
    },
  };
}
