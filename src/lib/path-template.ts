/**
 * Paths with words in braces, as `/srv/{tenant}/{username}`. What is filled in says one name, or one path below the text
 * before it; nothing that is filled in can lead anywhere else.
 */

/** A word that stands for one part of a path, or for a whole path that begins at the root. */
export type PathWord = { readonly name: string } | { readonly path: string };

export type PathWords = Readonly<Record<string, PathWord>>;

/** The words a template asks for, each once, in its order. */
export function wordsIn(template: string): readonly string[] {
  return [...new Set([...template.matchAll(braces)].map(([, word = '']) => word))];
}

/**
 * A path behind a slash goes on from there: `/lustre/{home}` and `/lustre{home}` are the same.
 *
 * @throws RangeError that says what cannot be: an unknown word, a value that is no name, a path that is none.
 */
export function fillPath(template: string, words: PathWords): string {
  const filled = template.replaceAll(braces, (_, word: string, at: number) => {
    const value = Object.hasOwn(words, word) ? words[word] : undefined;
    if (value === undefined) throw new RangeError(`{${word}} is none of ${listed(words)}`);
    if ('name' in value) return checkName(word, value.name);
    checkPath(`{${word}}`, value.path);
    return template[at - 1] === '/' ? value.path.slice(1) : value.path;
  });
  checkPath('it', filled);
  return filled;
}

const braces = /\{([^{}]*)\}/g;

function checkName(word: string, name: string): string {
  const problem = problemOfName(name);
  if (problem !== undefined) throw new RangeError(`{${word}} is ${JSON.stringify(name)}, which ${problem}`);
  return name;
}

function checkPath(what: string, path: string): void {
  const shown = `${what} is ${JSON.stringify(path)}, which`;
  if (!path.startsWith('/')) throw new RangeError(`${shown} does not begin at the root`);
  if (path === '/') throw new RangeError(`${shown} is all there is`);
  for (const name of path.slice(1).split('/')) {
    const problem = problemOfName(name);
    if (problem !== undefined) throw new RangeError(`${shown} has a part that ${problem}`);
  }
}

/** Linux takes everything else for a name, line ends and blanks too. */
function problemOfName(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'leads elsewhere';
  if (name.includes('/')) return 'holds a slash';
  if (name.includes('\0')) return 'holds NUL';
  return Buffer.byteLength(name) > 255 ? 'is longer than 255 bytes' : undefined;
}

function listed(words: PathWords): string {
  return Object.keys(words)
    .map((word) => `{${word}}`)
    .join(', ');
}
