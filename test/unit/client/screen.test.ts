import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createScreen } from '../../../src/client/screen.ts';

/** A stream that takes as much as `takes`, then fails with this code. */
function setUp(code: string, takes = 1) {
  const written: string[] = [];
  const open = (): Writable =>
    new Writable({
      autoDestroy: false,
      write(chunk: Buffer, _, done) {
        if (written.length === takes) return done(Object.assign(new Error(`${code}: it is so`), { code }));
        written.push(chunk.toString());
        done();
      },
    });
  const broken: unknown[] = [];
  const screen = createScreen({ output: open(), errors: open(), onBroken: (reason) => broken.push(reason?.message) });
  return { screen, written, broken };
}

const message = 'Standard output cannot be written: ENOSPC: it is so; send it elsewhere';

describe('createScreen', () => {
  it('tells once that output cannot be written, and refuses all after that', async () => {
    const { screen, written, broken } = setUp('ENOSPC');
    await screen.write('a');
    await expect(screen.write('b')).rejects.toMatchObject({ code: 'request.invalid', message });
    await expect(screen.write('c')).rejects.toMatchObject({ message });
    expect({ written, broken }).toEqual({ written: ['a'], broken: [message] });
  });

  it('is quiet where nobody reads any more', async () => {
    const { screen, written, broken } = setUp('EPIPE');
    for (const text of ['a', 'b', 'c']) await screen.write(text);
    expect({ written, broken }).toEqual({ written: ['a'], broken: [undefined] });
  });

  it('goes on without notes that cannot be written', async () => {
    const { screen } = setUp('ENOSPC', 0);
    screen.note('a');
    await new Promise(setImmediate);
    await expect(screen.write('b')).rejects.toMatchObject({ message });
  });
});
