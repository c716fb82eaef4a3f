/**
 * Python's `repr()` of JSON values, which is how mappings and messages appear in the environment of a container
 * (contract §9.3). Works on JSON text, token by token: so keys keep their order, `1.0` stays a float, an integer of any
 * length keeps its digits, and depth costs nothing.
 */

const token = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]/g;

const words: Readonly<Record<string, string>> = { true: 'True', false: 'False', null: 'None', ',': ', ', ':': ': ' };

/** Everything Python calls not printable: controls, format characters, unassigned ones, and blanks but the common one. */
const notPrintable = /[\p{C}\p{Z}]/u;

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** @param value anything `JSON.stringify` takes. */
export function renderPython(value: unknown): string {
  return renderPythonOfJson(JSON.stringify(value) ?? 'null');
}

/** @param json valid JSON text. */
export function renderPythonOfJson(json: string): string {
  let literal = '';
  for (const [text] of json.matchAll(token)) literal += renderToken(text);
  return literal;
}

function renderToken(text: string): string {
  if (text.startsWith('"')) return renderString(JSON.parse(text) as string);
  if (/^[-\d]/.test(text)) return renderNumber(text);
  return words[text] ?? text;
}

function renderNumber(source: string): string {
  if (/[.eE]/.test(source)) return renderFloat(Number(source));
  return source === '-0' ? '0' : source;
}

/** The shortest digits that read back as the same number, as in JavaScript; exponents from 16 digits on and below 1e-4. */
function renderFloat(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const text = exponent < 0 ? value.toFixed(digits.replace(/[-.]/g, '').length - 1 - exponent) : String(value);
  return text.includes('.') ? text : `${text}.0`;
}

function renderString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let literal = quote;
  for (const character of text) literal += character === quote ? `\\${quote}` : renderCharacter(character);
  return literal + quote;
}

function renderCharacter(character: string): string {
  const escape = escapes[character];
  if (escape !== undefined) return escape;
  if (character === ' ' || !notPrintable.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
