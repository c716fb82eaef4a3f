/** Lines of a shell that wait for what it started in the background, through the signals it hears meanwhile. Pure. */

/**
 * Sets `code` to the exit code of the process whose number is in the variable; a trap, which ends a wait, sets `heard`. To
 * wait once more is to learn the code also of one that ended just then. 127 says that it was learned before, and -1 that bash
 * lost it (seen in 5.2, where the end and a signal meet): the code stays 143 then.
 */
export function waitThrough(variable: string): string {
  return `heard=
wait "$${variable}"
code=$?
while [ -n "$heard" ]; do
  heard=
  wait "$${variable}"
  again=$?
  if [ "$again" -ge 0 ] && [ "$again" -ne 127 ]; then code=$again; fi
done`;
}
