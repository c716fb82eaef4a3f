/** Reads the file the helper frames results into; format: `native/README.md`. */

export type ResultFrame =
  | { readonly kind: 'result'; readonly bytes: Uint8Array }
  /** A datagram above the limit; only its length was kept. */
  | { readonly kind: 'dropped'; readonly length: number };

const droppedMark = 0xffff_ffff;
/** A head and nothing behind it. */
const emptyFrameBytes = 4;
/** Far above any datagram a kernel takes; a longer frame was not written by the helper. */
const maxFrameBytes = 1024 * 1024;

/**
 * What is whole so far: a frame that is still being written is left for the next reading. Reading ends at a frame that no
 * helper writes, which is a longer or an empty one: what is behind it was written by the program.
 */
export async function* parseResultFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ResultFrame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (let size = frameSize(rest); size !== undefined; size = frameSize(rest)) {
      if (size === emptyFrameBytes || size > maxFrameBytes) return;
      if (rest.length < size) break;
      yield readFrame(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  }
}

/** The results from the `from`th on, of so many frames as there may be. */
export async function* readResults(
  chunks: AsyncIterable<Uint8Array>,
  from: number,
  most: number,
): AsyncGenerator<Uint8Array> {
  let [frames, results] = [0, 0];
  for await (const frame of parseResultFrames(chunks)) {
    frames += 1;
    if (frames > most) return;
    if (frame.kind === 'result' && results++ >= from) yield frame.bytes;
  }
}

/** How much of the file a frame takes. */
export function resultFrameBytes(frame: ResultFrame): number {
  return frame.kind === 'result' ? 4 + frame.bytes.byteLength : 8;
}

function frameSize(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  return length === droppedMark ? 8 : 4 + length;
}

function readFrame(frame: Buffer): ResultFrame {
  const length = frame.readUInt32BE(0);
  if (length === droppedMark) return { kind: 'dropped', length: frame.readUInt32BE(4) };
  return { kind: 'result', bytes: frame.subarray(4) };
}
