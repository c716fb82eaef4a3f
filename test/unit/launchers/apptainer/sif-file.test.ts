import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSifCommand } from '../../../../launchers/apptainer/sif-file.ts';

/** A SIF with these data objects of type "generic JSON". */
function sif(objects: Readonly<Record<string, unknown>>): Buffer {
  const texts = Object.entries(objects).map(([name, value]) => ({ name, data: Buffer.from(JSON.stringify(value)) }));
  const header = Buffer.alloc(128);
  header.write('#!/usr/bin/env run-singularity\n', 0);
  header.write('SIF_MAGIC', 32);
  header.writeBigInt64LE(48n, 88);
  header.writeBigInt64LE(128n, 96);
  header.writeBigInt64LE(BigInt(48 * 585), 104);
  const descriptors = Buffer.alloc(48 * 585);
  let offset = 128 + descriptors.length;
  for (const [index, { name, data }] of texts.entries()) {
    const at = index * 585;
    descriptors.writeInt32LE(0x4006, at);
    descriptors[at + 4] = 1;
    descriptors.writeBigInt64LE(BigInt(offset), at + 17);
    descriptors.writeBigInt64LE(BigInt(data.length), at + 25);
    descriptors.write(name, at + 73);
    offset += data.length;
  }
  return Buffer.concat([header, descriptors, ...texts.map(({ data }) => data)]);
}

const read = async (bytes: Uint8Array): Promise<readonly string[]> =>
  await readSifCommand('/x.sif', async (offset, length) => bytes.subarray(offset, offset + length));

const labelled = (label: string) => ({
  'inspect-metadata.json': { data: { attributes: { labels: { 'org.abaco.command': label }, runscript: 'exec rm' } } },
});

describe('what a SIF runs', () => {
  it('is the entrypoint and the command of the image it was made of', async () => {
    const config = { Entrypoint: ['/bin/sh', '-c'], Cmd: ['echo "$(id)"'] };
    expect(await read(sif({ 'oci-config.json': config, ...labelled('["no"]') }))).toEqual([
      '/bin/sh',
      '-c',
      'echo "$(id)"',
    ]);
  });

  it('is what its label says where it was made of none', async () => {
    expect(await read(sif(labelled('["/usr/bin/align", "-q"]')))).toEqual(['/usr/bin/align', '-q']);
  });

  it.each([{}, labelled('align'), labelled('[1]'), { 'oci-config.json': {} }])('is not said by %j', async (objects) => {
    await expect(read(sif(objects))).rejects.toMatchObject({
      code: 'image.invalid',
      message: expect.stringMatching(/runscript is not used/),
    });
  });

  it('is never read from what is no SIF, or only part of one', async () => {
    const whole = sif({ 'oci-config.json': { Cmd: ['x'] } });
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
