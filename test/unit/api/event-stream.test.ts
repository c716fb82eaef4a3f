import { describe, expect, it } from 'vitest';
import { renderEvent } from '../../../src/api/event-stream.ts';

describe('renderEvent', () => {
  it('writes one event whose data stays one line, whatever it holds', () => {
    const text = renderEvent({ event: 'log', id: '12', data: { logs: 'a\r\n\ndata: b\u2028' } });
    expect(text).toBe('id: 12\nevent: log\ndata: {"logs":"a\\r\\n\\ndata: b\u2028"}\n\n');
  });

  it('leaves out the id where there is none', () => {
    expect(renderEvent({ event: 'end', data: {} })).toBe('event: end\ndata: {}\n\n');
  });
});
