/** Passes on what a preparation says of itself: the newest word at most this often, and none after its end. */

export interface PrepareProgress {
  readonly tell: (text: string) => void;
  /** Resolves once nothing more will be passed on. */
  end(): Promise<void>;
}

const everyMs = 2_000;

export function createPrepareProgress(passOn: (text: string) => Promise<unknown>): PrepareProgress {
  let last = '';
  let passedAtMs = Number.NEGATIVE_INFINITY;
  let ended = false;
  let passing: Promise<unknown> = Promise.resolve();
  return {
    tell(text) {
      if (ended || text === last || performance.now() - passedAtMs < everyMs) return;
      last = text;
      passedAtMs = performance.now();
      passing = passing.then(async () => await passOn(text)).catch(() => undefined);
    },
    async end() {
      ended = true;
      await passing;
    },
  };
}
