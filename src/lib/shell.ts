/** The one place where a line for a shell is made. */

/** Words that every shell takes as they stand, wherever they are; "=" and "~" mean something at some places. */
const plain = /^[\w@%+:,./-]+$/;

/** One word of a POSIX shell that means exactly `text`. Throws a `RangeError` for text with NUL, which no word can hold. */
export function shellQuote(text: string): string {
  if (text.includes('\0')) throw new RangeError('No word of a shell can hold NUL');
  return plain.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A line that runs the program with exactly these arguments. */
export function shellLine(argv: readonly string[]): string {
  return argv.map(shellQuote).join(' ');
}
