/**
 * Apptainer binds a directory with all that is mounted below it, and `ro` makes the first of them read-only alone (tried
 * with 1.4). So what is mounted below is bound once more, read-only, over itself. What that is only the node knows: a few
 * lines of shell look, right before Apptainer is started in their place.
 */

import type { Mount } from '../../src/launcher/launcher.ts';

/**
 * @param words - the line up to the image and on.
 * @param optionCount - how many of them stand before the image, where more options of Apptainer can stand.
 * @returns the words as they are when nothing is read-only.
 */
export function withReadOnlyTrees(
  words: readonly string[],
  optionCount: number,
  mounts: readonly Mount[],
  mountTable = '/proc/self/mountinfo',
): readonly string[] {
  const trees = mounts.filter(({ mode }) => mode === 'ro');
  if (trees.length === 0) return words;
  const pairs = trees.flatMap(({ hostPath, containerPath }) => [hostPath, containerPath]);
  const counts = [String(trees.length), String(optionCount)];
  return ['/bin/sh', '-c', script, 'abaco-read-only', mountTable, ...counts, ...pairs, ...words];
}

/**
 * Arguments: the table of mounts, how many trees, how many options, each tree as source and destination, then the words.
 * awk writes what is found as words a shell reads back; the last two loops bring them between the options and the image.
 */
const script = String.raw`
table=$1 trees=$2 options=$3
shift 3
found=
while [ "$trees" -gt 0 ]; do
  real=$(cd -P -- "$1" 2>/dev/null && pwd -P && echo .)
  real=${'$'}{real%??}
  if [ -n "$real" ]; then
    more=$(LC_ALL=C REAL=$real DESTINATION=$2 awk '
      function decoded(text,   out) {
        while (match(text, /\\[0-7][0-7][0-7]/)) {
          out = out substr(text, 1, RSTART - 1) sprintf("%c", substr(text, RSTART + 1, 1) * 64 + \
            substr(text, RSTART + 2, 1) * 8 + substr(text, RSTART + 3, 1))
          text = substr(text, RSTART + 4)
        }
        return out text
      }
      function field(text) {
        gsub(/"/, "\"\"", text)
        return "\"" text "\""
      }
      {
        point = decoded($5)
        if (index(point, ENVIRON["REAL"] "/") != 1) next
        if (index(point, "\r")) exit 1
        inner = substr(point, length(ENVIRON["REAL"]) + 1)
        bind = "type=bind," field("source=" point) "," field("destination=" ENVIRON["DESTINATION"] inner) ",ro"
        gsub(/\047/, "\047\\\047\047", bind)
        printf " --mount \047%s\047", bind
      }' "$table") || { echo "What is mounted below $1 cannot be made read-only" >&2; exit 1; }
    found=$found$more
  fi
  shift 2
  trees=$((trees - 1))
done
all=$#
while [ "$options" -gt 0 ]; do
  set -- "$@" "$1"
  shift
  options=$((options - 1))
  all=$((all - 1))
done
eval "set -- \"\$@\" $found"
while [ "$all" -gt 0 ]; do
  set -- "$@" "$1"
  shift
  all=$((all - 1))
done
exec "$@"
`;
