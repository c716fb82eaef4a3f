/**
 * JSON with the keys of every object sorted, as the original sends all its answers. Not by sorting copies of objects:
 * JavaScript puts keys that look like numbers first, whatever order they were given in.
 */
export function renderSortedJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((item) => renderSortedJson(item ?? null)).join(',')}]`;
  const members = value as Readonly<Record<string, unknown>>;
  // Put together in one loop, since every answer comes through here.
  let text = '';
  for (const key of Object.keys(members).toSorted()) {
    const member = members[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${renderSortedJson(member)}`;
  }
  return `{${text}}`;
}
