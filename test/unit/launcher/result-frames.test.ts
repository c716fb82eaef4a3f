import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseResultFrames, type ResultFrame } from '../../../src/launcher/result-frames.ts';

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size = 7): Promise<ResultFrame[]> {
  const frames: ResultFrame[] = [];
  for await (const frame of parseResultFrames(pieces(bytes, size))) frames.push(frame);
  return frames;
}

function written(frame: ResultFrame): Buffer {
  const number = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
  if (frame.kind === 'dropped') return Buffer.concat([number(0xffff_ffff), number(frame.length)]);
  return Buffer.concat([number(frame.bytes.length), frame.bytes]);
}

const frames = fc.array(
  fc.oneof(
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes): ResultFrame => ({ kind: 'result', bytes: Buffer.from(bytes) })),
    fc.nat(1_000_000).map((length): ResultFrame => ({ kind: 'dropped', length })),
  ),
);

describe('the frames of results', () => {
  it('come back whole and in order, however the file is cut in reading', async () => {
    await fc.assert(
      fc.asyncProperty(frames, fc.integer({ min: 1, max: 50 }), async (all, size) => {
        expect(await read(Buffer.concat(all.map(written)), size)).toEqual(all);
      }),
    );
  });

  it('are given as far as they are whole', async () => {
    const whole = written({ kind: 'result', bytes: Buffer.from('abc') });
    for (let cut = 0; cut < whole.length; cut += 1) {
      expect(await read(Buffer.concat([whole, whole.subarray(0, cut)]))).toHaveLength(1);
    }
  });

  it.each([
    ['longer than any datagram', [0x7f, 0xff, 0xff, 0xff, 1, 2, 3]],
    ['of nothing', [0, 0, 0, 0]],
  ])('end at one that no helper wrote, %s', async (_, written_) => {
    const whole = written({ kind: 'result', bytes: Buffer.from('abc') });
    expect(await read(Buffer.concat([whole, Buffer.from(written_), whole]), 11)).toHaveLength(1);
  });
});
