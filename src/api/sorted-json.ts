/**
 * JSON with the keys of every object sorted, as the original sends all its answers. Not by sorting copies of objects:
 * JavaScript puts keys that look like numbers first, whatever order they were given in.
 *
 * What is sorted already is written by the engine in one go, at a third of the time; so views list what they show by name.
 */
export function renderSortedJson(value: unknown): string {
  return isSorted(value) ? (JSON.stringify(value) ?? 'null') : renderByHand(value);
}

function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isSorted);
  const members = value as Readonly<Record<string, unknown>>;
  let before = '';
  for (const key in members) {
    if (key < before || !isSorted(members[key])) return false;
    before = key;
  }
  return true;
}

function renderByHand(value: unknown): string {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((item) => renderByHand(item ?? null)).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  // Put together in one loop, since many answers come through here.
  let text = '';
  for (const key of Object.keys(members).toSorted()) {
    const member = members[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${renderByHand(member)}`;
  }
  return `{${text}}`;
}
