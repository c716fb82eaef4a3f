/** The words of an entry, as full text search sees them: runs of letters and digits, in lower case. */

import { type Json, type SearchFields } from './search.ts';

/** What is longer is searched as far as here. */
export const mostTextChars = 64 * 1024;

/** Distinct words that are looked up quickly; a longer text has no more of them. */
const longestWord = 100;

const wordPattern = /[\p{L}\p{N}\p{M}]+/gu;

export function wordsOf(text: string): readonly string[] {
  const words = text.toLowerCase().match(wordPattern) ?? [];
  return words.map((word) => word.slice(0, longestWord).toWellFormed());
}

/** All words of all texts and numbers in the fields, in order, each between two blanks: ` one two `. */
export function textOf(fields: SearchFields): string {
  const texts: string[] = [];
  let length = 0;
  const visit = (value: Json): void => {
    if (length > mostTextChars) return;
    if (typeof value === 'string' || typeof value === 'number') {
      const text = String(value).slice(0, mostTextChars - length);
      length += text.length + 1;
      texts.push(text);
    } else if (typeof value === 'object' && value !== null) {
      for (const member of Object.values(value)) visit(member);
    }
  };
  visit(fields);
  return phraseOf(texts.join('\n'));
}

/** As it has to stand in `textOf`; empty without a word. */
export function phraseOf(text: string): string {
  const words = wordsOf(text);
  return words.length === 0 ? '' : ` ${words.join(' ')} `;
}

/** How many of the words are there. */
export function scoreOf(text: string, words: readonly string[]): number {
  return words.filter((word) => text.includes(` ${word} `)).length;
}
