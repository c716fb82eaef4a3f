/**
 * Who builds an image of a cache that several processes share: whoever makes the link. Its holder says something every
 * few seconds, in a file beside it; one that has said nothing for a minute is dead, and one of those who wait takes its
 * place. All by the clock of whoever waits, and by one that nobody sets: that of the builder may be another.
 */

import { randomBytes } from 'node:crypto';
import type { LauncherLog } from '../../src/launcher/launcher.ts';
import { pause } from '../../src/lib/backoff.ts';
import type { Host } from '../host/host.ts';

/** What a builder says of itself. */
export interface Beat {
  readonly since: string;
  /** The last line of its log. */
  readonly line: string;
}

export interface LockParts {
  readonly host: Host;
  /** What the names of its files begin with. */
  readonly base: string;
  readonly log: LauncherLog;
  readonly signal: AbortSignal;
  /** A builder that has said nothing for so long is dead. */
  readonly deadAfterMs: number;
}

export interface HeldLock extends AsyncDisposable {
  /** Names this holder, and nobody else. */
  readonly token: string;
  say(beat: Beat): void;
  /** Whether nobody has taken it for dead meanwhile. */
  isHeld(): Promise<boolean>;
}

const beatMs = 3_000;
const lookMs = 500;

/**
 * Waits until the lock is ours, or `isOver` gives something.
 *
 * @param isOver - asked whenever the lock was another's, with its token.
 * @param onWait - told what the holder says.
 */
export async function takeLock<T>(
  parts: LockParts,
  isOver: (token: string) => Promise<T | undefined>,
  onWait: (beat: Beat) => void,
): Promise<HeldLock | { readonly value: T }> {
  const { host, base, log, signal, deadAfterMs } = parts;
  const token = randomBytes(8).toString('hex');
  const [lock, beatFile] = [`${base}.lock`, `${base}.beat`];
  let seen = { text: '', atMs: performance.now() };
  let other = '';
  let tries = 0;
  while (!(await host.link(lock, token))) {
    signal.throwIfAborted();
    const [holder] = await host.readLinks([lock]);
    if (holder !== undefined && holder !== other) [other, seen] = [holder, { text: '', atMs: performance.now() }];
    const [part] = await host.readMany([{ path: beatFile, offset: 0, length: 10_000 }]);
    const text = Buffer.from(part?.bytes ?? []).toString();
    if (text !== seen.text) {
      seen = { text, atMs: performance.now() };
      const beat = parseBeat(text);
      if (beat) onWait(beat);
    } else if (holder !== undefined && performance.now() - seen.atMs > deadAfterMs) {
      log.warn({ lock, holder }, 'builder of an image is gone; its lock is taken');
      await takeAway(host, lock, holder, (tries += 1));
      seen = { text, atMs: performance.now() };
    }
    await pause(lookMs, signal);
    const value = await isOver(other);
    if (value !== undefined) return { value };
  }
  return holdLock(parts, token, beatFile, lock);
}

/** One of several who find a holder dead takes its lock away, so that nobody takes away the next one's. */
async function takeAway(host: Host, lock: string, holder: string, tries: number): Promise<void> {
  const turn = `${lock}.${holder}`;
  if (await host.link(turn, 'taken')) {
    const [now] = await host.readLinks([lock]);
    if (now === holder) await host.removeTree(lock);
    await host.removeTree(turn);
  } else if (tries > 1) {
    // Whoever had the turn has died with it a minute ago.
    await host.removeTree(turn);
  }
}

function holdLock({ host, log }: LockParts, token: string, beatFile: string, lock: string): HeldLock {
  let last: Beat = { since: new Date().toISOString(), line: '' };
  let count = 0;
  let writing = Promise.resolve();
  const beat = (): void => {
    count += 1;
    const text = Buffer.from(JSON.stringify({ token, count, ...last }));
    // One after the other, so that none is written once the lock is let go of.
    writing = writing
      .then(async () => await host.put(beatFile, text))
      .catch((thrown: unknown) => {
        log.debug({ err: thrown, lock }, 'builder could not say that it lives; it tries again');
      });
  };
  const timer = setInterval(beat, beatMs);
  beat();
  const isHeld = async (): Promise<boolean> => (await host.readLinks([lock]))[0] === token;
  return {
    token,
    say: (said) => {
      last = said;
    },
    isHeld,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await writing;
      if (!(await isHeld().catch(() => false))) return;
      await host.removeTree(beatFile).catch(() => undefined);
      await host.removeTree(lock).catch(() => undefined);
    },
  };
}

function parseBeat(text: string): Beat | undefined {
  try {
    const { since, line } = JSON.parse(text) as Partial<Beat>;
    return typeof since === 'string' && typeof line === 'string' ? { since, line } : undefined;
  } catch {
    return undefined;
  }
}
