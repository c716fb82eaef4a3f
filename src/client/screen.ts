/** Where the client's verbs write: what was asked for to standard output, everything about it to standard error. */

import picocolors from 'picocolors';
import { InvalidError, type ServiceError } from '../errors.ts';

export type Colors = ReturnType<typeof picocolors.createColors>;

export interface Screen {
  /** Somebody looks at standard output; else it is a pipe or a file, and gets plain text. */
  readonly isTerminal: boolean;
  /** Somebody looks at standard error. */
  readonly isNoteTerminal: boolean;
  readonly colors: Colors;
  /**
   * Resolves once it is written; what cannot be had twice is asked for after that. Rejects when it cannot be, and from
   * then on. A pipe nobody reads any more swallows it, as it swallows the rest.
   */
  write(text: string | Uint8Array): Promise<void>;
  /** A line for the user, never for a program that reads the output. */
  note(line: string): void;
}

export interface ScreenStreams {
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly errors: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Told once that nothing more can be written: with the reason, or without where nobody reads any more. */
  readonly onBroken?: (reason?: ServiceError) => void;
}

export function createScreen({ output, errors, onBroken }: ScreenStreams): Screen {
  const isTerminal = output.isTTY === true;
  let broken: { readonly reason?: ServiceError } | undefined;
  // Told by the writes; without a listener a stream ends the process.
  output.on('error', () => undefined);
  errors.on('error', () => undefined);
  return {
    isTerminal,
    isNoteTerminal: errors.isTTY === true,
    colors: picocolors.createColors(isTerminal && picocolors.isColorSupported),
    async write(text) {
      const error = broken === undefined ? await writeTo(output, text) : undefined;
      if (error) {
        broken ??= isNobodyThere(error) ? {} : { reason: cannotWrite(error) };
        onBroken?.(broken.reason);
      }
      if (broken?.reason) throw broken.reason;
    },
    note: (line) => void errors.write(`${line}\n`),
  };
}

async function writeTo(stream: NodeJS.WritableStream, text: string | Uint8Array): Promise<Error | null | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | null | undefined>();
  stream.write(text, resolve);
  return await promise;
}

function isNobodyThere(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE';
}

function cannotWrite({ message }: Error): ServiceError {
  return new InvalidError('request.invalid', `Standard output cannot be written: ${message}; send it elsewhere`);
}
