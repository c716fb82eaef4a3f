/**
 * JSON with the keys of every object sorted, as the original sends all its answers. Not by sorting copies of objects:
 * JavaScript puts keys that look like numbers first, whatever order they were given in.
 */
export function renderSortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => renderSortedJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${renderSortedJson(member)}`);
  return `{${members.join(',')}}`;
}
