/** Rounds of us and the plain alternative in turn, in one run, so that a machine's drift meets both alike. */

export interface Contestants {
  /** Each returns messages per second (or any figure of which more is better). */
  readonly ours: () => Promise<number>;
  readonly plain: () => Promise<number>;
}

/** @returns the median of ours ÷ plain, round by round; prints each round. */
export async function compare(name: string, rounds: number, { ours, plain }: Contestants): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Every other round the other one goes first.
    const [first, second] = round % 2 === 0 ? [ours, plain] : [plain, ours];
    const a = await first();
    const b = await second();
    const [us, them] = round % 2 === 0 ? [a, b] : [b, a];
    ratios.push(us / them);
    console.log(
      `${name}  round ${round + 1}: ours ${us.toFixed(1)}/s, plain ${them.toFixed(1)}/s, ratio ${(us / them).toFixed(2)}`,
    );
  }
  return median(ratios);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The last lines of every script: what a later comparison reads. */
export function report(name: string, ratio: number): void {
  console.log(`ratio ${name} ${ratio.toFixed(2)}`);
}

/** Runs `task` for 0…count-1, `width` at a time. @returns tasks per second. */
export async function perSecond(count: number, width: number, task: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let index = next; index < count; index = next) {
        next += 1;
        await task(index);
      }
    }),
  );
  return (count / (performance.now() - started)) * 1_000;
}
