import type { Usage } from '../../src/launcher/launcher.ts';
import type { FoundContainer } from './containers.ts';

/** What an engine knows of a container that ended without an end record: its times. Its counters are gone by then. */
export function usageByEngine(found: FoundContainer): Usage | undefined {
  if (found.state.kind !== 'exited' || found.state.at === undefined || found.startedAt === undefined) return undefined;
  return {
    startedAt: found.startedAt,
    finishedAt: found.state.at,
    cpuMs: 0,
    maxMemoryBytes: 0,
    readBytes: 0,
    writtenBytes: 0,
  };
}
