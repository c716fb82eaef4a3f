/**
 * Run directories that their user wants to look into after the end: moved out of the way when all else is removed, without
 * what was secret in them, and removed when they are old.
 */

import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import { files } from '../../src/launcher/run-directory.ts';
import { type Command, expectSuccess } from '../host/command.ts';
import { findOldCommand } from '../host/find-old.ts';
import type { Host } from '../host/host.ts';
import type { HostRuns } from '../host/host-runs.ts';

export interface KeptRuns {
  /** Says that this one is to be kept. It stands in the directory, so that it outlives us. */
  mark(ref: AttemptRef): Promise<void>;
  /** Removes the run directory, or moves it to where kept ones are. Again is a no-op. */
  remove(ref: AttemptRef, signal: AbortSignal): Promise<void>;
  /** Removes those whose time is over. */
  sweep(signal: AbortSignal): Promise<void>;
}

export interface KeptRunsOptions {
  readonly host: Host;
  readonly runs: HostRuns;
  /** Where they are kept. */
  readonly directory: string;
  readonly keepMs: number;
}

export function createKeptRuns({ host, runs, directory, keepMs }: KeptRunsOptions): KeptRuns {
  const markOf = (ref: AttemptRef): string => `${runs.pathOf(ref)}/keep`;

  return {
    mark: async (ref) => await host.put(markOf(ref), new Uint8Array()),
    async remove(ref, signal) {
      const [mark] = await host.readMany([{ path: markOf(ref), offset: 0, length: 0 }]);
      if (!mark) return await runs.remove(ref);
      const [path, kept] = [runs.pathOf(ref), `${directory}/${attemptKey(ref)}`];
      // The token of the execution is dead by now; what else the user put there need not lie about.
      await host.removeTree(`${path}/${files.environment}`);
      await host.makeDirectory(directory, 0o700);
      try {
        await host.run(moveCommand(path, kept), signal);
      } catch (thrown) {
        // Another remover may have moved it since the mark was read. What is kept is never touched, only what is left here.
        const isMoved = (await host.list(kept)) !== undefined || (await host.list(path)) === undefined;
        if (!isMoved) throw thrown;
        await runs.remove(ref);
      }
    },
    async sweep(signal) {
      if (((await host.list(directory)) ?? []).length === 0) return;
      for (const name of await host.run(findOldCommand(directory, keepMs), signal)) {
        await host.removeTree(`${directory}/${name}`);
      }
    },
  };
}

/** Refuses where something is in the target: a move is one step, so whoever is there was first. */
function moveCommand(from: string, to: string): Command<void> {
  const succeed = expectSuccess('mv');
  return { argv: ['mv', '-T', '--', from, to], parse: (result) => void succeed(result) };
}
