/** How values that are no text stand in the variables of programs: `compat.value_text`. */

import { renderPythonOfJson } from './python-literal.ts';

/** As Python's `str()` writes them (contract §9.3), or strictly as JSON. */
export type ValueText = 'python' | 'json';

/**
 * A text is itself; of all else keys keep their order and numbers their digits.
 *
 * @param json valid JSON text.
 */
export function renderValue(json: string, valueText: ValueText): string {
  if (/^\s*"/.test(json)) return JSON.parse(json) as string;
  return valueText === 'python' ? renderPythonOfJson(json) : withoutBlanks(json);
}

function withoutBlanks(json: string): string {
  return json.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, (_, text: string | undefined) => text ?? '');
}
