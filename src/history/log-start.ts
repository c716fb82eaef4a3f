/** As much of a log as is searched. */

import type { Blobs } from '../executions/blobs.ts';
import type { Body } from '../executions/execution.ts';
import { mostTextChars } from './search-text.ts';

/** A blob that is no more reads as empty: the log has expired. */
export async function readStart(blobs: Pick<Blobs, 'open' | 'size'>, body: Body): Promise<string> {
  if ('inline' in body) return textOf([body.inline]);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of blobs.open(body.blob)) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= mostTextChars) break;
    }
  } catch (thrown) {
    if ((await blobs.size(body.blob)) === undefined) return '';
    throw thrown;
  }
  return textOf(chunks);
}

function textOf(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).subarray(0, mostTextChars).toString();
}
