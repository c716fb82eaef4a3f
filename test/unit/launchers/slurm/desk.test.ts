import { describe, expect, it } from 'vitest';
import type { Host } from '../../../../launchers/host/host.ts';
import { createDesk } from '../../../../launchers/slurm/desk.ts';

/** A desk over files that stay so. */
function deskOver(files: Readonly<Record<string, string>>) {
  const readMany = async (asked: readonly { readonly path: string }[]) =>
    asked.map(({ path }) => {
      const text = files[path];
      return text === undefined ? undefined : { size: text.length, bytes: Buffer.from(text) };
    });
  return createDesk('alice', { name: 'login', readMany } as unknown as Host, { work: '/w', keepMs: 1 });
}

describe('the output of the job of an attempt', () => {
  const ref = { executionId: 'e', attempt: 2, owner: 'alice' };
  const outputs = { '/w/jobs/s1/0.out': 'of another', '/w/jobs/s1/2.out': 'its own' };
  const index = { '/w/jobs/s1/index': 'x-1\ne-1\ne-2\n' };

  it('is that of its own element, whichever job its handle names, or none', async () => {
    const desk = deskOver({ '/w/ledger/e-2/submission': 's1', ...outputs, ...index });
    expect(await desk.readJobOutput(ref)).toBe('its own');
  });

  it.each([
    ['it is not in the index of its submission', { '/w/ledger/e-3/submission': 's1', ...index }],
    ['there is no index', { '/w/ledger/e-3/submission': 's1' }],
    ['its submission was refused', { '/w/ledger/e-3/submission': '', '/w/jobs//0.out': 'x' }],
    ['it was never handed over', {}],
  ])('is nothing where %s', async (_, files) => {
    const desk = deskOver({ ...outputs, ...files });
    expect(await desk.readJobOutput({ ...ref, attempt: 3 })).toBe('');
  });
});
