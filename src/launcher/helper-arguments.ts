/** What every launcher tells the helper, the first process of a container (`native/README.md`), and where things are inside. */

import { optional } from '../lib/optional.ts';
import type { LaunchSpec } from './launcher.ts';

/** Where things are for the program. The paths with `_abaco_` in front are the contract's. */
export const inside = {
  run: '/_abaco/run',
  ledger: '/_abaco/ledger',
  bin: '/_abaco/bin',
  binaryMessage: '/_abaco_binary_data',
} as const;

/** The contract's path of the results socket, and where the helper binds it. */
export const resultsLink = { path: '/_abaco_results.sock', target: `${inside.run}/results.sock` } as const;

/** File of a binary message in the run directory. */
export const binaryMessageFile = 'binary';

/** All but the label, which says who starts it. `where` the helper finds its directories: as a rule in the container. */
export function startArguments(
  { limits, notAfter }: Pick<LaunchSpec, 'limits' | 'notAfter'>,
  where: { readonly ledger: string; readonly run: string } = inside,
): readonly string[] {
  const settings = {
    ledger: where.ledger,
    run: where.run,
    'not-after': Math.floor(notAfter.getTime() / 1_000),
    ...optional('time-limit', limits.timeMs),
    grace: limits.graceMs,
    'log-limit': limits.logBytes,
    'result-limit': limits.resultBytes,
    'result-total': limits.resultTotalBytes,
    'result-count': limits.resultCount,
  };
  return ['start', ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])];
}
