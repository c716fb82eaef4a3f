import type { ExecutionAnswer } from './answer.ts';

export interface Exit {
  readonly code: number;
  /** Why, where the program's own exit code does not say it. */
  readonly reason?: string;
}

/** The exit code of `abaco run`: the program's own, and 1 where the program never ended by itself or never ran. */
export function exitOf(execution: ExecutionAnswer): Exit {
  const { id, status, end, endDetail, exitCode } = execution;
  if (end === 'exited' || (end === undefined && status === 'COMPLETE')) return { code: exitCode ?? 1 };
  const why = endDetail === undefined ? '' : `: ${endDetail}`;
  const neverRan = end === undefined || end === 'launch-failed';
  const code = neverRan ? 1 : (exitCode ?? 1);
  return { code, reason: `Execution "${id}" ended as ${end ?? status}${why}` };
}
