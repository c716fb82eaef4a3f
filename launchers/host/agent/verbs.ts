/** What an agent can be asked, and what it answers. Bytes travel beside: those of a file, of a standard input. */

import type { Command, CommandResult } from '../command.ts';
import type { ByteRange, FileRead } from '../host.ts';

export interface Verbs {
  run: { args: { readonly command: Omit<Command<unknown>, 'parse' | 'stdin'> }; value: CommandResult };
  read: { args: FileRead & Pick<ByteRange, 'followLinks'>; value: null };
  readMany: {
    args: { readonly reads: readonly FileRead[] };
    /** How many of the bytes belong to each, and how large its file was. */
    value: readonly ({ readonly bytes: number; readonly size: number } | null)[];
  };
  /** All of a small file at once. */
  put: { args: { readonly path: string; readonly mode: number }; value: null };
  beginPut: { args: { readonly path: string; readonly mode: number }; value: number };
  putChunk: { args: { readonly upload: number }; value: null };
  endPut: { args: { readonly upload: number; readonly keep: boolean }; value: null };
  link: { args: { readonly path: string; readonly target: string }; value: boolean };
  readLinks: { args: { readonly paths: readonly string[] }; value: readonly (string | null)[] };
  hash: { args: { readonly path: string }; value: string };
  makeDirectory: { args: { readonly path: string; readonly mode: number }; value: null };
  list: { args: { readonly path: string }; value: readonly string[] | null };
  removeTree: { args: { readonly path: string; readonly roots: readonly string[] }; value: null };
  waitForChange: { args: { readonly path: string; readonly timeoutMs: number }; value: null };
}

export type Verb = keyof Verbs;

export interface Answer<V extends Verb> {
  readonly value: Verbs[V]['value'];
  readonly bytes?: Uint8Array;
}
