/** What a host behind SSH stands on: channels and files over one login, whichever program holds it. */

import type { Readable, Writable } from 'node:stream';
import { UnavailableError } from '../../src/errors.ts';
import { optional } from '../../src/lib/optional.ts';
import type { RemoteFiles } from './remote-files.ts';

export interface SshLimits {
  readonly connectMs: number;
  /** For the exchange of keys and the login. */
  readonly authenticateMs: number;
  /** For a channel that is asked for, until its program has begun: the login shell of the account comes first. */
  readonly openMs: number;
  /** A connection that answers nothing for three of these is dead. */
  readonly keepAliveMs: number;
  /** At once on one connection; sshd takes ten where its MaxSessions says nothing. */
  readonly channels: number;
}

/** Makes connections to one host as one account. */
export interface SshConnector {
  /** `account@host`. */
  readonly name: string;
  readonly host: string;
  readonly user: string;
  /** Which program holds the login. */
  readonly transport: 'ssh2' | 'openssh';
  /** @throws UnavailableError with the reason: nobody there, a host key that is not the known one, a login refused. */
  connect(signal: AbortSignal): Promise<SshConnection>;
}

export interface SshConnection {
  readonly name: string;
  /**
   * Runs a line of the login shell; `use` has the channel until its promise settles, and listens to it before its first
   * `await`. Waits its turn.
   * @throws CutOffError when it may have begun and nobody hears of it any more.
   */
  withChannel<T>(line: string, use: (channel: SshChannel) => Promise<T>, options?: ChannelOptions): Promise<T>;
  /** Calls reject with the system's own code, `ENOENT`, or with CutOffError. */
  withFiles<T>(use: (files: RemoteFiles) => Promise<T>): Promise<T>;
  readonly alive: boolean;
  close(): void;
}

export interface ChannelOptions {
  /** It stays open as long as its program lives, so nobody waits for it to end. */
  readonly isHeld?: boolean;
}

/** A program on the other side: its streams and its end. */
export interface SshChannel {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when all its output is there; with nothing where it was cut off before its end. Never rejects. */
  readonly ended: Promise<ChannelEnd | undefined>;
  /** Lets go: its program finds the end of its input. */
  close(): void;
  /** Kills its program where that can be asked for and it has not ended, and lets go. */
  kill(): void;
}

export interface ChannelEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/**
 * The connection went, or was silent for too long, between question and answer: what was asked for may have been done.
 * Who only wanted to look takes it as what it extends.
 */
export class CutOffError extends UnavailableError {
  constructor({ code, message, next }: UnavailableError) {
    super(code, message, optional('next', next));
  }
}

export function unavailable(name: string, reason: string, cause?: unknown): UnavailableError {
  return new UnavailableError('host.unavailable', `Host ${name} cannot be reached: ${reason}`, { cause });
}
