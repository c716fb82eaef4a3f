/**
 * Where commands run and files are: this machine, or one behind SSH. The same promises on both, held by one contract
 * suite (`test/support/host-contract.ts`).
 *
 * What was not done rejects with `UnavailableError`; what was asked for and not answered to the end with
 * `UnknownOutcomeError`, since it may have been done.
 */

import type { Command } from './command.ts';

export interface Host {
  /** For people: "this machine", "alice@login.example.org". */
  readonly name: string;

  /**
   * Runs a program; no shell comes between. A program that is not there ends with 127, one that may not be run with 126.
   * @throws UnknownOutcomeError when it was cut off: by `signal`, by its time limit, or with the connection.
   * @throws LauncherError `host.output_too_large`
   */
  run<T>(command: Command<T>, signal: AbortSignal): Promise<T>;

  /** Writes the whole file or nothing: under another name first, synced, then renamed. */
  put(path: string, content: FileContent, options?: PutOptions): Promise<void>;

  /**
   * Reads from `offset`, at most `length` bytes. Whatever is no regular file, a pipe say, is as if it were not there, here
   * and below: programs write where we read, and none of it holds us up or leads us elsewhere.
   * @throws NotFoundError `host.file_not_found`
   */
  get(path: string, range?: ByteRange): AsyncIterable<Uint8Array>;

  /** Reads the ends of many files in one round; of one that is not there, and of a link, nothing. */
  readMany(reads: readonly FileRead[]): Promise<readonly (FilePart | undefined)[]>;

  /** Makes a symbolic link by one symlink(2). @returns false when something is there already. */
  link(path: string, target: string): Promise<boolean>;

  /** What symbolic links lead to: nothing where there is none, empty text where something else is. */
  readLinks(paths: readonly string[]): Promise<readonly (string | undefined)[]>;

  /** SHA-256 in hex, also by a link. @throws NotFoundError */
  hash(path: string): Promise<string>;

  /** Makes the directory and what leads to it; one that is there keeps its mode. */
  makeDirectory(path: string, mode: number): Promise<void>;

  /** Names in a directory, sorted; nothing when there is none. */
  list(path: string): Promise<readonly string[] | undefined>;

  /** Removes all there is, links and not what they lead to; again is a no-op. @throws InvalidError `host.outside` */
  removeTree(path: string): Promise<void>;

  /** Resolves when something in the directory was made, renamed or removed since the call, or after `timeoutMs`. */
  waitForChange(path: string, timeoutMs: number, signal: AbortSignal): Promise<void>;

  /** Lets go of connections; what was started and is not ours to wait for keeps running. */
  close(): Promise<void>;
}

export type FileContent = Uint8Array | AsyncIterable<Uint8Array>;

export interface PutOptions {
  /** Default 0600. */
  readonly mode?: number;
}

export interface ByteRange {
  readonly offset: number;
  readonly length?: number;
  /** Whether the file may be reached by a link of this name; else a link counts as nothing. */
  readonly followLinks?: boolean;
}

export interface FileRead {
  readonly path: string;
  readonly offset: number;
  /** Most bytes wanted. */
  readonly length: number;
}

export interface FilePart {
  readonly bytes: Uint8Array;
  /** Of the whole file, when it was read. */
  readonly size: number;
}
