import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFrameReader,
  encodeFrame,
  type Frame,
  type FrameHead,
  gatherFrames,
} from '../../../../launchers/host/agent/frames.ts';

function readAll(pieces: readonly Uint8Array[]): readonly Frame[] {
  const frames: Frame[] = [];
  const read = createFrameReader((frame) => frames.push({ head: frame.head, body: Uint8Array.from(frame.body) }));
  for (const piece of pieces) read(piece);
  return frames;
}

describe('frames', () => {
  it('come out as they went in, however the stream is cut', () => {
    const head = fc.record({ kind: fc.constant('answer' as const), id: fc.nat(), value: fc.jsonValue() });
    const frame = fc.record({ head, body: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.nat(400), { maxLength: 30 }), (frames, cuts) => {
        const bytes = Buffer.concat(frames.map((one) => encodeFrame(one.head as FrameHead, one.body)));
        const at = [0, ...cuts.map((cut) => cut % (bytes.byteLength + 1)), bytes.byteLength].toSorted((a, b) => a - b);
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        const wanted = frames.map((one) => ({
          head: JSON.parse(JSON.stringify(one.head)) as FrameHead,
          body: one.body,
        }));
        expect(readAll(pieces)).toEqual(wanted);
      }),
    );
  });

  it('of one turn go out as one piece, and none is lost or overtaken', async () => {
    const pieces: Buffer[] = [];
    const send = gatherFrames((piece) => void pieces.push(piece));
    const turns = [[1, 2, 3], [4], [5, 6]];
    for (const ids of turns) {
      for (const id of ids) send(encodeFrame({ kind: 'forget', id }));
      await new Promise(setImmediate);
    }
    expect(pieces.map((piece) => readAll([piece]).map(({ head }) => 'id' in head && head.id))).toEqual(turns);
  });

  it.each([
    ['Welcome to the cluster!\nQuotas are checked on Mondays.\n', 'What came is no frame: "Welcome to'],
    ['\0\0\0\x02\0\0\0\0no', 'not valid JSON'],
    ['\0\0\0\x02\0\0\0\x0042', 'The head of a frame is none'],
  ])('are told from other words: %j', (text, reason) => {
    expect(() => readAll([Buffer.from(text)])).toThrow(reason);
  });
});
