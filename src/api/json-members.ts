/**
 * The members of a JSON object as they were written. Parsing loses what Python's text form shows: the order of keys that
 * look like numbers, `1.0`, integers beyond 2^53.
 *
 * @param json valid JSON text of an object.
 * @returns the text of each value; of a repeated key the last.
 */
export function memberSources(json: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  let depth = 0;
  let key: string | undefined;
  let start = 0;
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    const [text] = match;
    if (depth === 1 && key !== undefined && (text === ',' || text === '}')) {
      members.set(key, json.slice(start, match.index).trim());
      key = undefined;
    }
    if (depth === 1 && text === ':' && key !== undefined) start = match.index + 1;
    if (depth === 1 && key === undefined && text.startsWith('"')) key = JSON.parse(text) as string;
    if (text === '{' || text === '[') depth += 1;
    if (text === '}' || text === ']') depth -= 1;
  }
  return members;
}

/**
 * The same of a JSON array.
 *
 * @param json valid JSON text of an array.
 */
export function elementSources(json: string): readonly string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: text, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    if (depth === 1 && (text === ',' || text === ']')) elements.push(json.slice(start, index).trim());
    if (depth === 0 || (depth === 1 && text === ',')) start = index + 1;
    if (text === '{' || text === '[') depth += 1;
    if (text === '}' || text === ']') depth -= 1;
  }
  return elements.length === 1 && elements[0] === '' ? [] : elements;
}
