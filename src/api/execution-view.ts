/** Executions as clients see them (contract §7.8), and what we tell beyond: the end, the wait, the usage. */

import type { Actor } from '../actors/actor.ts';
import { type Execution, type ExecutionUsage, isFinal } from '../executions/execution.ts';
import type { Accounting } from '../launcher/launcher.ts';
import { optional } from '../lib/optional.ts';
import { renderWait } from './actor-view.ts';
import type { Links } from './links.ts';
import type { ExecutionListing } from './list-executions.ts';
import { type Attributes, executionStatusWords, renderOptionalTime, renderTime, type Spelling, spell } from './wire.ts';

export function renderExecution(execution: Execution, links: Links, now: Date): Attributes {
  const { wait } = execution;
  return {
    _links: linksOfExecution(execution, links),
    api_server: links.apiServer,
    ...describeExecution(execution),
    ...optional('wait', wait && renderWait(wait, now)),
  };
}

export function linksOfExecution(
  { actorId, id, executor }: Pick<Execution, 'actorId' | 'id' | 'executor'>,
  links: Links,
): Attributes {
  return { logs: links.logs(actorId, id), owner: links.profile(executor), self: links.execution(actorId, id) };
}

/** What is the execution's own, wherever it is shown. */
export function describeExecution(execution: Execution): Attributes {
  const { actorId, id, executor, usage } = execution;
  return {
    id,
    actor_id: actorId,
    executor,
    status: executionStatusWords[execution.state],
    worker_id: execution.workerId ?? null,
    message_received_time: renderTime(execution.receivedAt),
    start_time: renderOptionalTime(execution.startedAt),
    finish_time: renderOptionalTime(execution.finishedAt),
    ...renderTotals(usage),
    exit_code: renderExitCode(execution),
    final_state: renderFinalState(execution),
    revision: execution.revision,
    attempt: execution.attempt,
    ...renderEnd(execution),
    ...optional('launcher', execution.launcher),
    ...optional('node', execution.node),
  };
}

/** One state of an execution, as the events of its progress tell it. */
export function renderProgress(execution: Execution, now: Date): Attributes {
  return {
    id: execution.id,
    status: executionStatusWords[execution.state],
    attempt: execution.attempt,
    start_time: renderOptionalTime(execution.startedAt),
    finish_time: renderOptionalTime(execution.finishedAt),
    exit_code: renderExitCode(execution),
    ...renderEnd(execution),
    ...optional('launcher', execution.launcher),
    ...optional('node', execution.node),
    ...optional('wait', execution.wait && renderWait(execution.wait, now)),
  };
}

export function renderSummary(actor: Actor, listing: ExecutionListing, links: Links, spelling: Spelling): Attributes {
  const { executions, totals, complete } = listing;
  return {
    _links: { self: links.executions(actor.id), owner: links.profile(actor.owner) },
    actor_id: actor.id,
    api_server: links.apiServer,
    owner: actor.owner,
    executions: executions.map((execution) => spell(renderListed(execution), spelling)),
    total_executions: totals.count,
    total_cpu: totals.cpuMs * nanosecondsPerMs,
    total_io: totals.ioBytes,
    total_runtime: Math.floor(totals.runtimeMs / 1_000),
    ...(complete
      ? {}
      : { incomplete: 'The history does not answer; only what runs, waits or has just ended is listed' }),
  };
}

function renderListed(execution: Execution): Attributes {
  return {
    id: execution.id,
    status: executionStatusWords[execution.state],
    start_time: renderOptionalTime(execution.startedAt),
    finish_time: renderOptionalTime(execution.finishedAt),
    message_received_time: renderTime(execution.receivedAt),
    ...(isFinal(execution.state) ? { exit_code: renderExitCode(execution) } : {}),
    ...renderEnd(execution),
  };
}

function renderEnd({ end, endDetail, usage, accounting }: Execution): Attributes {
  return {
    ...optional('end', end),
    ...optional('end_detail', endDetail),
    ...optional('usage', usage && renderUsage(usage)),
    ...optional('accounting', accounting && renderAccounting(accounting)),
  };
}

function renderAccounting(accounting: Accounting): Attributes {
  const { jobId, elapsedMs, cpuMs, maxMemoryBytes, nodes, energyJoules } = accounting;
  return {
    job_id: jobId,
    elapsed_ms: elapsedMs,
    cpu_ms: cpuMs,
    ...optional('max_memory_bytes', maxMemoryBytes),
    nodes,
    ...optional('energy_joules', energyJoules),
  };
}

function renderUsage({ cpuMs, maxMemoryBytes, ioBytes, runtimeMs }: ExecutionUsage): Attributes {
  return { cpu_ms: cpuMs, max_memory_bytes: maxMemoryBytes, io_bytes: ioBytes, runtime_ms: runtimeMs };
}

const nanosecondsPerMs = 1_000_000;

/** In the units of the original: processor time in nanoseconds as Docker counts it, whole seconds. */
function renderTotals(usage: ExecutionUsage | undefined): Attributes {
  if (!usage) return { cpu: 0, io: 0, runtime: 0 };
  return { cpu: usage.cpuMs * nanosecondsPerMs, io: usage.ioBytes, runtime: Math.floor(usage.runtimeMs / 1_000) };
}

function renderExitCode({ state, exitCode }: Execution): number | 'undetermined' | null {
  return isFinal(state) ? (exitCode ?? 'undetermined') : null;
}

/** What Docker would say of the container; where it never started or was lost, the original's word for "unknown". */
function renderFinalState(execution: Execution): Attributes | null {
  const { state, exitCode, startedAt, finishedAt, end, endDetail } = execution;
  if (!isFinal(state)) return null;
  if (exitCode === undefined || !startedAt || !finishedAt) return { unavailable: true };
  return {
    Dead: false,
    Error: end === 'exited' ? '' : (endDetail ?? ''),
    ExitCode: exitCode,
    FinishedAt: renderTime(finishedAt),
    OOMKilled: end === 'out-of-memory',
    Paused: false,
    Pid: 0,
    Restarting: false,
    Running: false,
    StartedAt: renderTime(startedAt),
    Status: 'exited',
  };
}
