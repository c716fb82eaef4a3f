/** Single letters to insert, delete, replace, or swap with their neighbour to make `b` of `a` (Damerau-Levenshtein). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}

/**
 * The known dotted path a mistyped one most likely meant: the last part counts most, another table costs one more letter,
 * so `service.prot` is `service.port` and `service.memory` is `limits.memory`. The first wins a tie.
 */
export function nearestKey(path: string, known: readonly string[]): string | undefined {
  const cost = (candidate: string): number => {
    const [table, key] = split(path);
    const [otherTable, otherKey] = split(candidate);
    return editDistance(key, otherKey) + (table === otherTable ? 0 : 1) + editDistance(path, candidate) / 1000;
  };
  return known
    .map((key) => ({ key, cost: cost(key) }))
    .reduce<{ key: string; cost: number } | undefined>(
      (best, next) => (best === undefined || next.cost < best.cost ? next : best),
      undefined,
    )?.key;
}

function split(path: string): readonly [table: string, key: string] {
  const dot = path.lastIndexOf('.');
  return [path.slice(0, Math.max(dot, 0)), path.slice(dot + 1)];
}
