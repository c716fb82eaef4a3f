/** A SIF that holds nothing but what it says of itself. */

/** With these data objects of type "generic JSON". */
export function renderSif(objects: Readonly<Record<string, unknown>>): Buffer {
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
