/** How many of the bytes end with a whole character: the number without a last one that is still to be completed. */
export function characterEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return bytes.length;
    if (byte >= 0xc0) return back < lengthFrom(byte) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Length of the character that a byte begins. */
function lengthFrom(first: number): number {
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}
