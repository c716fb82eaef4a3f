/**
 * How much is read of what an attempt wrote. Its helper keeps to the same limits; its program can write to the same files
 * itself, and need not.
 */

import type { LaunchHandle, LaunchLimits } from './launcher.ts';

export type OutputLimits = Pick<LaunchLimits, 'logBytes' | 'resultTotalBytes' | 'resultCount'>;

/** Of a handle that says nothing, as an older version wrote it: the most that can be set for results. */
const most: OutputLimits = { logBytes: 1024 ** 3, resultTotalBytes: 1024 ** 3, resultCount: 1_000_000 };

/** As they stand in the state of a handle. */
export function renderOutputLimits({ logBytes, resultTotalBytes, resultCount }: OutputLimits) {
  return { logLimitBytes: logBytes, resultTotalBytes, resultCount };
}

export function outputLimitsOf({ state }: Pick<LaunchHandle, 'state'>): OutputLimits {
  const number = (key: string, otherwise: number) => {
    const value = state[key];
    return typeof value === 'number' ? value : otherwise;
  };
  return {
    logBytes: number('logLimitBytes', most.logBytes),
    resultTotalBytes: number('resultTotalBytes', most.resultTotalBytes),
    resultCount: number('resultCount', most.resultCount),
  };
}
