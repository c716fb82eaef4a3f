/** Where the client's verbs write: what was asked for to standard output, everything about it to standard error. */

import picocolors from 'picocolors';

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface Screen {
  /** Somebody looks at standard output; else it is a pipe or a file, and gets plain text. */
  readonly isTerminal: boolean;
  /** Somebody looks at standard error. */
  readonly isNoteTerminal: boolean;
  readonly colors: Colors;
  write(text: string | Uint8Array): void;
  /** A line for the user, never for a program that reads the output. */
  note(line: string): void;
}

export interface ScreenStreams {
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly errors: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

export function createScreen({ output, errors }: ScreenStreams): Screen {
  const isTerminal = output.isTTY === true;
  return {
    isTerminal,
    isNoteTerminal: errors.isTTY === true,
    colors: picocolors.createColors(isTerminal && picocolors.isColorSupported),
    write: (text) => void output.write(text),
    note: (line) => void errors.write(`${line}\n`),
  };
}
