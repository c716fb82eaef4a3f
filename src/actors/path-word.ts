/** What a word that stands in paths of the API may be: an alias, a name of a config (contract §7.12). Pure. */

const forbidden = /[\\\s":/?#[\]@!$&'()*+,;=%\p{Cc}\p{Cs}]/u;

const longest = 255;

/**
 * Why a text can be no such word; nothing when it can.
 *
 * @param what how the answer calls it
 * @param reserved words that routes of ours or of the original would hide
 */
export function pathWordProblem(what: string, word: string, reserved: readonly string[]): string | undefined {
  if (reserved.includes(word)) return `${what} cannot be a reserved word: ${reserved.join(', ')}.`;
  if (forbidden.test(word)) return `${what} cannot hold any of \\ space " : / ? # [ ] @ ! $ & ' ( ) * + , ; = %`;
  // Clients take these two out of a path before they send it.
  if (word === '' || word === '.' || word === '..') return `${what} cannot be empty, nor a dot or two.`;
  if (word.length > longest) return `${what} cannot be longer than ${longest} characters.`;
  return undefined;
}
