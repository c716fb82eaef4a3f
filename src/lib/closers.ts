/** Undo functions, filled as things are made and run backwards: also when a start fails half way. */

export interface Closers {
  add(name: string, close: () => Promise<void> | void): void;
  /** Runs all, in reverse, whatever one of them throws. Again returns the promise in flight. */
  close(): Promise<void>;
}

export function createClosers(onError: (name: string, error: unknown) => void): Closers {
  const closers: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];
  let closing: Promise<void> | undefined;
  async function closeAll(): Promise<void> {
    for (const { name, close } of closers.toReversed()) {
      try {
        await close();
      } catch (thrown) {
        onError(name, thrown);
      }
    }
  }
  return {
    add: (name, close) => closers.push({ name, close }),
    close: () => (closing ??= closeAll()),
  };
}
