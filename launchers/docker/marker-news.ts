import { type FSWatcher, watch } from 'node:fs';

/** Says that the start marker was made, so that nobody has to look for it again and again. */
export interface MarkerNews extends Disposable {
  /** Resolves once the marker was made after the call of `followMarker`, or when `signal` aborts. */
  made(signal: AbortSignal): Promise<void>;
}

/** A ledger entry that is not there has no news; nor has one that the system cannot follow. */
export function followMarker(entryPath: string): MarkerNews {
  const { promise, resolve } = Promise.withResolvers<void>();
  const onChange = (_kind: string, name: string | null) => name === 'start' && resolve();
  const watcher = open(entryPath, onChange);
  return {
    async made(signal) {
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (!signal.aborted) await promise;
    },
    [Symbol.dispose]: () => watcher?.close(),
  };
}

function open(path: string, onChange: (kind: string, name: string | null) => void): FSWatcher | undefined {
  try {
    return watch(path, { persistent: false }, onChange).on('error', () => {});
  } catch {
    return undefined;
  }
}
