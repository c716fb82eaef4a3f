/**
 * What goes over the channel between service and agent: frames of a length (4 bytes, big endian), a head in JSON and
 * bytes that belong to it. Requests carry a number; answers carry the same one, in any order.
 */

export interface Frame {
  readonly head: FrameHead;
  readonly body: Uint8Array;
}

export type FrameHead =
  /** The agent's first word. */
  | { readonly kind: 'hello'; readonly version: string; readonly user: string; readonly host: string }
  | { readonly kind: 'ask'; readonly id: number; readonly verb: string; readonly args: unknown }
  /** The one who asked is no longer interested. */
  | { readonly kind: 'forget'; readonly id: number }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: FrameError };

/** Enough of an error to make it again on the other side. */
export interface FrameError {
  readonly type: string;
  readonly code: string;
  readonly message: string;
}

/** More is nothing an agent of ours sends; somebody's login message would be read as such a length. */
const mostBytes = 64 * 1024 * 1024;

const prefixBytes = 8;

export function encodeFrame(head: FrameHead, body: Uint8Array = new Uint8Array()): Buffer {
  const text = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(text.byteLength, 0);
  prefix.writeUInt32BE(body.byteLength, 4);
  return Buffer.concat([prefix, text, body]);
}

/** Frames of one turn go out as one piece: over SSH each piece is a packet, encrypted and written by itself. */
export function gatherFrames(write: (piece: Buffer) => void): (frame: Buffer) => void {
  let frames: Buffer[] = [];

  function flush(): void {
    const [first, ...others] = frames;
    frames = [];
    if (first) write(others.length === 0 ? first : Buffer.concat([first, ...others]));
  }

  return (frame) => {
    frames.push(frame);
    if (frames.length === 1) setImmediate(flush);
  };
}

/** Puts frames together from the pieces a stream gives. Throws an `Error` at what is no frame; it is of no use then. */
export function createFrameReader(onFrame: (frame: Frame) => void): (piece: Uint8Array) => void {
  let pieces: Uint8Array[] = [];
  let held = 0;
  let wanted = prefixBytes;

  function take(): void {
    const bytes = pieces.length === 1 ? Buffer.from(pieces[0] as Uint8Array) : Buffer.concat(pieces);
    let at = 0;
    for (;;) {
      const length = frameLength(bytes.subarray(at));
      wanted = length;
      if (bytes.byteLength - at < length) break;
      onFrame(readFrame(bytes.subarray(at, at + length)));
      at += length;
      if (at === bytes.byteLength) {
        wanted = prefixBytes;
        break;
      }
    }
    pieces = at === bytes.byteLength ? [] : [bytes.subarray(at)];
    held = bytes.byteLength - at;
  }

  return (piece) => {
    pieces.push(piece);
    held += piece.byteLength;
    if (held >= wanted) take();
  };
}

/** Of the frame that begins here; of its beginning while that is not all there. */
function frameLength(bytes: Buffer): number {
  if (bytes.byteLength < prefixBytes) return prefixBytes;
  const length = prefixBytes + bytes.readUInt32BE(0) + bytes.readUInt32BE(4);
  if (length > mostBytes) throw new Error(`What came is no frame: ${JSON.stringify(bytes.subarray(0, 80).toString())}`);
  return length;
}

function readFrame(bytes: Buffer): Frame {
  const headEnd = prefixBytes + bytes.readUInt32BE(0);
  const head: unknown = JSON.parse(bytes.subarray(prefixBytes, headEnd).toString());
  if (typeof head !== 'object' || head === null || !('kind' in head)) throw new Error('The head of a frame is none');
  return { head: head as FrameHead, body: bytes.subarray(headEnd) };
}
