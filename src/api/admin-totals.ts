/** Sums over executions in the units of the contract (§7.15). */

import type { ActorKey, ExecutionTotals } from '../history/history.ts';
import { addTotals } from '../history/totals.ts';
import type { Attributes } from './wire.ts';

const nanosecondsPerMs = 1_000_000;

export function keyOf({ tenant, actorId }: ActorKey): string {
  return `${tenant}:${actorId}`;
}

/** Attributes that start with `total_` and end with what is summed over. */
export function renderSums(of: 'all' | 'existing', actors: number, totals: readonly ExecutionTotals[]): Attributes {
  const sum = renderTotals(addTotals(totals));
  return {
    [`total_actors_${of}`]: actors,
    [`total_actors_${of}_with_executions`]: totals.length,
    [`total_executions_${of}`]: sum['total_executions'],
    [`total_execution_runtime_${of}`]: sum['total_execution_runtime'],
    [`total_execution_cpu_${of}`]: sum['total_execution_cpu'],
    [`total_execution_io_${of}`]: sum['total_execution_io'],
  };
}

export function renderTotals({ count, cpuMs, ioBytes, runtimeMs }: ExecutionTotals): Attributes {
  return {
    total_executions: count,
    total_execution_cpu: cpuMs * nanosecondsPerMs,
    total_execution_io: ioBytes,
    total_execution_runtime: Math.floor(runtimeMs / 1_000),
  };
}
