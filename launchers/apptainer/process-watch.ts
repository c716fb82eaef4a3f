/** Whether processes of a host are still there: asked once for all who want to know, and not oftener than `everyMs`. */

import type { Host } from '../host/host.ts';
import { listProcesses, type ProcessTable } from './process-table.ts';

export interface ProcessWatch {
  /** As they were at most `everyMs` ago. */
  recent(): Promise<ProcessTable>;
  /** As they are now. */
  now(): Promise<ProcessTable>;
}

export function createProcessWatch(host: Host, everyMs: number, leaving: AbortSignal): ProcessWatch {
  let last: { readonly atMs: number; readonly table: Promise<ProcessTable> } | undefined;

  function ask(): Promise<ProcessTable> {
    const table = host.run(listProcesses, leaving);
    const asked = { atMs: performance.now(), table };
    last = asked;
    table.catch(() => {
      if (last === asked) last = undefined;
    });
    return table;
  }

  return {
    recent: async () => await (last !== undefined && performance.now() - last.atMs < everyMs ? last.table : ask()),
    now: async () => await ask(),
  };
}
