/** Ends an attempt: what has not started never will, and what has is told to end, and killed after its grace time. */

import { UnavailableError } from '../../src/errors.ts';
import type { AttemptRef, LauncherLog } from '../../src/launcher/launcher.ts';
import { pause } from '../../src/lib/backoff.ts';
import type { Desk } from './desk.ts';
import { type Heard, killTree, terminateTree } from './kill-tree.ts';
import { renderStarter, type Starter } from './process-table.ts';

export interface CancellationParts {
  readonly log: LauncherLog;
  /** Aborts when the launcher is closed. */
  readonly signal: AbortSignal;
}

type CancelDesk = Pick<Desk, 'host' | 'processes' | 'startersOf'> & {
  readonly ledger: Pick<Desk['ledger'], 'close' | 'noteCancel' | 'readEnd'>;
};

export interface Cancellation {
  cancel(desk: CancelDesk, ref: AttemptRef, graceMs: number): Promise<'never-started' | 'stopping'>;
  /** Ends all that was started for an attempt at once. */
  endProcesses(desk: CancelDesk, ref: AttemptRef): Promise<void>;
}

/** The helper sends KILL itself after its own grace time; this much later it, and all else, gets it from here. */
const afterGraceMs = 5_000;

export function createCancellation({ log, signal }: CancellationParts): Cancellation {
  /** Whose processes are killed when their grace time is over. */
  const doomed = new Set<string>();

  async function killLater(desk: CancelDesk, starter: Starter, graceMs: number): Promise<void> {
    const name = renderStarter(starter);
    if (doomed.has(name)) return;
    doomed.add(name);
    await pause(graceMs + afterGraceMs, signal);
    doomed.delete(name);
    if (signal.aborted) return;
    await killTree(desk, starter, signal).catch((thrown: unknown) => {
      log.warn({ err: thrown, starter: name }, 'processes not killed');
    });
  }

  /** Who asks a host that is not the starter's has told nobody, and the program would run on: that is told again. */
  async function tell(desk: CancelDesk, ref: AttemptRef, graceMs: number): Promise<void> {
    const heardBy = new Map<Heard, Starter>();
    for (const starter of await desk.startersOf(ref)) {
      const heard = await terminateTree(desk, starter, signal);
      if (heard === 'told') void killLater(desk, starter, graceMs);
      heardBy.set(heard, starter);
    }
    const unknown = heardBy.has('told') ? undefined : heardBy.get('unknown');
    if (unknown === undefined || (await desk.ledger.readEnd(ref)) !== undefined) return;
    const why = `it was started on host "${unknown.host}", and what answers is not known to be that`;
    throw new UnavailableError('launcher.unavailable', `Execution "${ref.executionId}" is not told to end: ${why}`);
  }

  /** The marker is not asked: the program may have put another's name there. */
  async function endProcesses(desk: CancelDesk, ref: AttemptRef): Promise<void> {
    for (const starter of await desk.startersOf(ref)) await killTree(desk, starter, signal);
  }

  return {
    async cancel(desk, ref, graceMs) {
      if ((await desk.ledger.close(ref, 'cancelled')) === 'closed') {
        await endProcesses(desk, ref);
        return 'never-started';
      }
      await desk.ledger.noteCancel(ref);
      await tell(desk, ref, graceMs);
      return 'stopping';
    },
    endProcesses,
  };
}
