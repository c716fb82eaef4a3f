/**
 * Regular expressions of a search. They come from whoever asks, so they are matched by an automaton, whose time grows with
 * the text and with its own size, and not beyond: no pattern explodes, and none is let become large. That leaves out
 * back-references and looking around. The histories do not match patterns themselves, since engines differ and theirs may
 * explode.
 */

import { RE2JS } from 're2js';
import { asError, InvalidError } from '../errors.ts';
import { mostComparedChars } from './search.ts';

/** A repetition like `{1000}` is written out, so the pattern's own length says little. */
const mostRepeated = 100;

const longestPattern = 500;

/** The automaton is only measured once it is made, which takes time too: the pattern as long as it would be written out. */
const mostWritten = 10_000;

/** Steps one character may cost: with 48,000, which 500 characters can come to, one text took longer than 10 seconds. */
const mostSteps = 1_000;

/** Finds the pattern anywhere in the first thousand characters of a text. */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > longestPattern) throw invalid(pattern, `it is longer than ${longestPattern} characters`);
  const repetition = repetitionOf(pattern);
  if (repetition > mostRepeated) throw invalid(pattern, `it repeats more than ${mostRepeated} times`);
  const compiled = repetition * pattern.length > mostWritten ? undefined : compile(pattern);
  if (!compiled || compiled.programSize() > mostSteps)
    throw invalid(pattern, 'it repeats too much of itself; repeat a shorter part, or less often');
  return (text) => compiled.test(text.slice(0, mostComparedChars));
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (thrown) {
    throw invalid(pattern, asError(thrown).message);
  }
}

/** The product of all counted repetitions: what nesting them would come to. */
function repetitionOf(pattern: string): number {
  const counts = [...pattern.matchAll(/\{(\d*)(?:,(\d*))?\}/g)].map(([, least, most]) => Number(most || least || 1));
  return counts.reduce((product, count) => product * Math.max(1, count), 1);
}

function invalid(pattern: string, reason: string): InvalidError {
  const shown = JSON.stringify(pattern.slice(0, 80));
  return new InvalidError('request.invalid', `Regular expression ${shown} cannot be searched for: ${reason}`);
}
