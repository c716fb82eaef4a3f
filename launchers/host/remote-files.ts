/** The calls on files that stand in for the agent: over SFTP, or by programs that every system has. */

import type { FileContent } from './host.ts';

export interface RemoteFiles {
  /** A new file, synced. */
  write(path: string, content: FileContent, mode: number): Promise<void>;
  /** Of a regular file, which it was a moment ago. */
  read(path: string, offset: number, length: number): Promise<Buffer>;
  /** What is there; nothing when there is none. */
  look(path: string, options?: { readonly followLinks: boolean }): Promise<RemoteLook | undefined>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  makeDirectory(path: string, mode: number): Promise<void>;
  entries(path: string): Promise<readonly RemoteEntry[]>;
  realPath(path: string): Promise<string>;
  link(path: string, target: string): Promise<void>;
  /** Of a symbolic link; nothing where there is none, empty text where something else is. */
  target(path: string): Promise<string | undefined>;
}

export interface RemoteLook {
  readonly isRegular: boolean;
  readonly size: number;
}

export interface RemoteEntry {
  readonly name: string;
  readonly size: number;
  /** Some text that differs when the entry was changed. */
  readonly changed: string;
}
