/** `find`: what in a directory is old (find(1), "-mmin"). */

import { type Command, expectSuccess } from './command.ts';

/** Names of what nothing was made, renamed or removed in for so long. */
export function findOldCommand(directory: string, ageMs: number): Command<readonly string[]> {
  const succeed = expectSuccess('find');
  const minutes = Math.ceil(ageMs / 60_000);
  return {
    // What goes away meanwhile is no failure.
    argv: [
      'find',
      directory,
      '-ignore_readdir_race',
      '-mindepth',
      '1',
      '-maxdepth',
      '1',
      '-mmin',
      `+${minutes}`,
      '-printf',
      '%f\\n',
    ],
    parse: (result) =>
      succeed(result)
        .split('\n')
        .filter((name) => name !== ''),
  };
}
