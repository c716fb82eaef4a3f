/** Names of the blobs that belong to an execution. An id is used once, so a repetition overwrites the same file. */

/** The log as it grows; there only while the execution runs. */
export function liveLogName(executionId: string): string {
  return `live-${executionId}`;
}

/** A log too large to be kept inline, once the execution has ended. */
export function keptLogName(executionId: string): string {
  return `log-${executionId}`;
}

export function resultName(executionId: string, number: number): string {
  return `result-${executionId}-${number}`;
}
