import { type ExecutionAnswer, hasEnded } from './answer.ts';
import { type Column, renderBytes, renderSpan, renderTime } from './output.ts';
import type { Colors } from './screen.ts';

/** One execution a line. */
export const executionColumns: readonly Column<ExecutionAnswer>[] = [
  { title: 'execution', text: ({ id }) => id },
  { title: 'status', text: ({ status }) => status, paint: paintStatus },
  { title: 'received', text: ({ receivedAt }) => renderTime(receivedAt) },
  { title: 'duration', text: (execution) => renderSpan(durationMs(execution)), isNumber: true },
  { title: 'exit', text: ({ exitCode }) => (exitCode === undefined ? '-' : String(exitCode)), isNumber: true },
  { title: 'cpu', text: ({ cpuMs }) => renderSpan(cpuMs), isNumber: true },
  { title: 'memory', text: ({ maxMemoryBytes }) => renderBytes(maxMemoryBytes), isNumber: true },
];

export interface Detail {
  readonly name: string;
  readonly value: string;
}

export const detailColumns: readonly Column<Detail>[] = [
  { title: 'of the execution', text: ({ name }) => name },
  { title: '', text: ({ value }) => value },
];

/** All about one execution, one thing a line. */
export function detailsOf(execution: ExecutionAnswer): readonly Detail[] {
  const { receivedAt, startedAt, finishedAt, wait, exitCode, cpuMs, maxMemoryBytes } = execution;
  return [
    { name: 'id', value: execution.id },
    { name: 'status', value: execution.status },
    { name: 'end', value: [execution.end, execution.endDetail].filter(Boolean).join(': ') || '-' },
    { name: 'exit code', value: exitCode === undefined ? '-' : String(exitCode) },
    { name: 'received', value: renderTime(receivedAt) },
    { name: 'started', value: renderTime(startedAt) },
    { name: 'finished', value: renderTime(finishedAt) },
    { name: 'duration', value: renderSpan(durationMs(execution)) },
    { name: 'cpu', value: renderSpan(cpuMs) },
    { name: 'memory', value: renderBytes(maxMemoryBytes) },
    ...(wait === undefined ? [] : [{ name: 'waits for', value: wait.cause }]),
    ...(wait?.next === undefined ? [] : [{ name: 'next', value: wait.next }]),
  ];
}

/** From the program's start to its end, where it has both. */
export function durationMs({ runtimeMs, startedAt, finishedAt }: ExecutionAnswer): number | undefined {
  if (runtimeMs !== undefined) return runtimeMs;
  return startedAt && finishedAt ? finishedAt.getTime() - startedAt.getTime() : undefined;
}

function paintStatus(text: string, execution: ExecutionAnswer, colors: Colors): string {
  if (!hasEnded(execution)) return colors.cyan(text);
  const isWell = execution.status === 'COMPLETE' && (execution.exitCode ?? 0) === 0;
  return isWell ? colors.green(text) : colors.red(text);
}
