import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEvents, type ServerEvent } from '../../../src/client/event-stream.ts';

async function parse(...chunks: readonly (string | Uint8Array)[]): Promise<ServerEvent[]> {
  const bytes = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk);
  })();
  const events: ServerEvent[] = [];
  for await (const event of parseEvents(bytes)) events.push(event);
  return events;
}

describe('parseEvents', () => {
  it('reads names and data', async () => {
    expect(await parse('event: log\ndata: {"text":"a"}\n\nid: 7\ndata:b\n\n')).toEqual([
      { name: 'log', data: '{"text":"a"}' },
      { name: 'message', data: 'b' },
    ]);
  });

  it('joins the data of several lines', async () => {
    expect(await parse('data: a\ndata:\ndata:  c\n\n')).toEqual([{ name: 'message', data: 'a\n\n c' }]);
  });

  it('leaves comments out, and what is not finished', async () => {
    expect(await parse(': keep\n\nevent: only\n\ndata: half\n')).toEqual([]);
  });

  it('reads the same however the bytes are cut', async () => {
    const bytes = Buffer.from('event: log\r\ndata: "ünïcode"\r\n\r\n: c\rdata: x\n\nevent: end\ndata: {}\n\n');
    const whole = await parse(bytes);
    expect(whole.map(({ name }) => name)).toEqual(['log', 'message', 'end']);
    const cuts = fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(cuts, async (places) => {
        const ends = [...places.sort((a, b) => a - b), bytes.length];
        const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(await parse(...chunks)).toEqual(whole);
      }),
    );
  });
});
