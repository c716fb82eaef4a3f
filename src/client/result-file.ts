/** The file that results go to instead of standard output. */

import { type FileHandle, open } from 'node:fs/promises';
import { asError, InvalidError } from '../errors.ts';

export interface ResultFile extends AsyncDisposable {
  /** Puts results there, one behind the other, in place of what it held. @returns what to tell of it. */
  save(results: AsyncIterable<Uint8Array>): Promise<string>;
}

/** Opened before anything is asked of the service, so that a name that cannot be written costs nothing. */
export async function openResultFile(file: string): Promise<ResultFile> {
  const refuse = (thrown: unknown): never => {
    throw new InvalidError('request.invalid', `File "${file}" cannot be written: ${asError(thrown).message}`);
  };
  // What it holds stays until there is something else.
  const handle = await open(file, 'a').catch(refuse);
  return {
    async save(results) {
      await empty(handle).catch(refuse);
      let count = 0;
      for await (const result of results) {
        await handle.writeFile(result).catch(refuse);
        count += 1;
      }
      return `${count} ${count === 1 ? 'result' : 'results'} written to ${file}`;
    },
    [Symbol.asyncDispose]: async () => await handle.close(),
  };
}

/** Devices and pipes cannot be. */
async function empty(handle: FileHandle): Promise<void> {
  if ((await handle.stat()).isFile()) await handle.truncate();
}
