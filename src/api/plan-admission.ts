/**
 * Which messages are sent where there is room for some: the first ones, and all that repeat one that is taken, which need
 * none. Pure.
 *
 * @param keys Idempotency-Keys of the messages
 * @param used those under which a message was taken before
 */
export function planAdmission(
  keys: readonly (string | undefined)[],
  used: ReadonlySet<string>,
  room: number,
): readonly boolean[] {
  const taken = new Set(used);
  let left = room;
  return keys.map((key) => {
    if (key !== undefined && taken.has(key)) return true;
    if (left === 0) return false;
    left -= 1;
    if (key !== undefined) taken.add(key);
    return true;
  });
}
