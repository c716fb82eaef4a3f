/** Several bodies as one answer (multipart/mixed, RFC 2046), written while it is sent. */

import { randomBytes } from 'node:crypto';
import type { Blobs } from '../executions/blobs.ts';
import type { Body } from '../executions/execution.ts';
import { openBody } from './execution-reader.ts';

export interface Multipart {
  readonly contentType: string;
  readonly content: AsyncIterable<Uint8Array>;
}

/** @param bodies each asked for when the one before was written. Without any there is a last boundary alone. */
export function writeMultipart(bodies: AsyncIterable<Body>, blobs: Pick<Blobs, 'open'>): Multipart {
  // No body can hold it, but by a chance of one in 2^128; a reader may go by the lengths besides.
  const boundary = randomBytes(16).toString('hex');
  async function* content(): AsyncIterable<Uint8Array> {
    for await (const body of bodies) {
      const bytes = 'inline' in body ? body.inline.byteLength : body.bytes;
      const head = ['Content-Type: application/octet-stream', `Content-Length: ${bytes}`].join('\r\n');
      yield Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`);
      yield* openBody(blobs, body);
      yield Buffer.from('\r\n');
    }
    yield Buffer.from(`--${boundary}--\r\n`);
  }
  return { contentType: `multipart/mixed; boundary=${boundary}`, content: content() };
}
