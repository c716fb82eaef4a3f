/** The launchers of this process, by the name an operator gave and by the place where their attempts run. */

import type { Launcher } from './launcher.ts';

export interface LauncherEntry {
  /** As the configuration names it. */
  readonly name: string;
  /**
   * What an intent records. A launcher that only reaches this host has the host in its place, so that nobody on another
   * host takes its executions over: they could neither see the container nor its start marker.
   */
  readonly place: string;
  readonly launcher: Launcher;
}

export interface LauncherTable {
  readonly entries: readonly LauncherEntry[];
  byName(name: string): LauncherEntry | undefined;
  byPlace(place: string): LauncherEntry | undefined;
}

export function createLauncherTable(entries: readonly LauncherEntry[]): LauncherTable {
  return {
    entries,
    byName: (name) => entries.find((entry) => entry.name === name),
    byPlace: (place) => entries.find((entry) => entry.place === place),
  };
}

/** An actor's own choice, else its queue's, else the default. */
export function chooseLauncher(
  actor: { readonly launcher: string | null; readonly queue: string },
  choices: {
    readonly queues: Readonly<Record<string, { readonly launcher: string }>>;
    readonly defaultLauncher: string;
  },
): string {
  return actor.launcher ?? (choices.queues[actor.queue]?.launcher || choices.defaultLauncher);
}
