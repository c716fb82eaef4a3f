import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import type { Ledger } from '../../src/launcher/ledger.ts';
import type { Containers } from './containers.ts';

export interface Cancellation {
  cancel(ref: AttemptRef, graceMs: number): Promise<'never-started' | 'stopping'>;
  /** The attempt is over. */
  forget(ref: AttemptRef): void;
  close(): void;
}

/** The helper sends KILL itself after its own grace time and then writes a record; this much later the engine does. */
const afterGraceMs = 2_000;

export function createCancellation(parts: { readonly containers: Containers; readonly ledger: Ledger }): Cancellation {
  const { containers, ledger } = parts;
  /** A second TERM would mean "at once" to many programs, so each attempt gets one from this process. */
  const sent = new Map<string, NodeJS.Timeout>();

  async function stop(ref: AttemptRef, graceMs: number): Promise<void> {
    await ledger.noteCancel(ref);
    const found = await containers.find(ref);
    if (found === undefined || sent.has(attemptKey(ref))) return;
    const kill = () => void containers.signal(found.id, 'SIGKILL').catch(() => {});
    sent.set(attemptKey(ref), setTimeout(kill, graceMs + afterGraceMs).unref());
    try {
      await containers.signal(found.id, 'SIGTERM');
    } catch (error) {
      forget(ref);
      throw error;
    }
  }

  function forget(ref: AttemptRef): void {
    clearTimeout(sent.get(attemptKey(ref)));
    sent.delete(attemptKey(ref));
  }

  return {
    async cancel(ref, graceMs) {
      // What may stand there of it, made and not started, refuses to start from now on and is removed with the attempt.
      if ((await ledger.close(ref, 'cancelled')) === 'closed') return 'never-started';
      await stop(ref, graceMs);
      return 'stopping';
    },
    forget,
    close() {
      for (const timer of sent.values()) clearTimeout(timer);
      sent.clear();
    },
  };
}
