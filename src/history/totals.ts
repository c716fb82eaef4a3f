/** Sums over executions. */

import type { Execution } from '../executions/execution.ts';
import type { ExecutionTotals } from './history.ts';

export const noTotals: ExecutionTotals = { count: 0, cpuMs: 0, ioBytes: 0, runtimeMs: 0 };

/** What one execution adds; one that never started counts too. */
export function totalsOf({ usage }: Pick<Execution, 'usage'>): ExecutionTotals {
  const { cpuMs = 0, ioBytes = 0, runtimeMs = 0 } = usage ?? {};
  return { count: 1, cpuMs, ioBytes, runtimeMs };
}

export function addTotals(all: readonly ExecutionTotals[]): ExecutionTotals {
  return all.reduce(
    (sum, one) => ({
      count: sum.count + one.count,
      cpuMs: sum.cpuMs + one.cpuMs,
      ioBytes: sum.ioBytes + one.ioBytes,
      runtimeMs: sum.runtimeMs + one.runtimeMs,
    }),
    noTotals,
  );
}
