import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSifCommand } from '../../../../launchers/apptainer/sif-file.ts';
import { renderSif } from '../../../support/render-sif.ts';

const read = async (bytes: Uint8Array): Promise<readonly string[]> =>
  await readSifCommand('/x.sif', async (offset, length) => bytes.subarray(offset, offset + length));

const labelled = (label: string) => ({
  'inspect-metadata.json': { data: { attributes: { labels: { 'org.abaco.command': label }, runscript: 'exec rm' } } },
});

describe('what a SIF runs', () => {
  it('is the entrypoint and the command of the image it was made of', async () => {
    const config = { Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo "$(id)"'] };
    expect(await read(renderSif({ 'oci-config.json': config, ...labelled('["no"]') }))).toEqual([
      '/bin/sh',
      '-c',
      'echo "$(id)"',
    ]);
  });

  it('is what its label says where it was made of none', async () => {
    expect(await read(renderSif(labelled('["/usr/bin/align", "-q"]')))).toEqual(['/usr/bin/align', '-q']);
  });

  it.each([{}, labelled('align'), labelled('[1]'), { 'oci-config.json': {} }])('is not said by %j', async (objects) => {
    await expect(read(renderSif(objects))).rejects.toMatchObject({
      code: 'image.invalid',
      message: expect.stringMatching(/runscript is not used/),
    });
  });

  it('is never read from what is no SIF, or only part of one', async () => {
    const whole = renderSif({ 'oci-config.json': { Cmd: ['x'] } });
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 200 }), async (cut, noise) => {
        for (const bytes of [whole.subarray(0, cut), noise]) {
          await expect(read(bytes)).rejects.toMatchObject({ code: 'image.invalid' });
        }
      }),
      { numRuns: 100 },
    );
  });
});
