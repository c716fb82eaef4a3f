/**
 * What has ended: executions with their logs and results; the registry as it was last written; and what can be searched,
 * which is both of them and what has not ended yet.
 *
 * Two implementations (MongoDB, `node:sqlite`) keep one contract suite. Every write is idempotent, so the outbox may
 * repeat a batch after a crash. An outage rejects with `UnavailableError` (`history.unavailable`) and loses nothing.
 */

import type { Execution, LogRef } from '../executions/execution.ts';
import type { Accounting } from '../launcher/launcher.ts';
import type { NewestQuery, PlacedEntry } from './newest.ts';
import type { SearchEntry, SearchPage, SearchQuery, SearchScope } from './search.ts';

/** An ended execution as the outbox hands it over. */
export interface EndedExecution {
  readonly execution: Execution;
  readonly log: LogRef;
  /** After it the log reads as empty; nothing given keeps it for ever. */
  readonly logExpiresAt?: Date;
  /** In the order sent; inline, or files of the blob store, which go when `results.keep` has passed after their last use. */
  readonly results: readonly LogRef['body'][];
}

/** A registry change: the whole record as JSON; a null record means deleted. Higher versions win. */
export interface RegistryRecord {
  readonly tenant: string;
  readonly kind: 'actor';
  readonly id: string;
  readonly version: number;
  readonly record: Readonly<Record<string, unknown>> | null;
}

export interface HistoryBatch {
  readonly executions: readonly EndedExecution[];
  readonly registry: readonly RegistryRecord[];
  readonly search?: readonly SearchEntry[];
}

/** What the books of a scheduler say of an execution. */
export interface Booked extends ActorKey {
  readonly executionId: string;
  readonly accounting: Accounting;
}

export interface ExecutionTotals {
  readonly count: number;
  readonly cpuMs: number;
  readonly ioBytes: number;
  readonly runtimeMs: number;
}

export interface ActorKey {
  readonly tenant: string;
  readonly actorId: string;
}

export interface ExpiredLogs {
  /** How many were forgotten; as many as were asked for where there may be more. */
  readonly count: number;
  /** Names of blobs nobody refers to any more. */
  readonly blobs: readonly string[];
}

export interface History {
  /** Keeps the whole batch, durably, before it resolves. The same again changes nothing. */
  write(batch: HistoryBatch): Promise<void>;

  execution(tenant: string, actorId: string, executionId: string): Promise<Execution | undefined>;

  /**
   * Adds to executions what the books of their schedulers say, and that they ran where those say. The same again is a no-op.
   *
   * @returns of each whether it is here.
   */
  account(booked: readonly Booked[]): Promise<readonly boolean[]>;

  /** Newest first by arrival, then id; `before` is the id of the last one of the page before this. */
  executions(
    tenant: string,
    actorId: string,
    page: { readonly before?: string; readonly limit: number },
  ): Promise<readonly Execution[]>;

  totals(tenant: string, actorId: string): Promise<ExecutionTotals>;

  /** Nothing when unknown; an expired log reads as empty. */
  log(tenant: string, actorId: string, executionId: string): Promise<LogRef | undefined>;

  results(tenant: string, actorId: string, executionId: string): Promise<readonly LogRef['body'][]>;

  /** Names of the blobs of the logs that `expireLogs` would forget now: to be removed first, as nobody names them after. */
  expiredBlobs(now: Date, limit: number): Promise<readonly string[]>;

  /** Forgets logs whose time has passed, at most `limit`, and what is found by them. */
  expireLogs(now: Date, limit: number): Promise<ExpiredLogs>;

  /** Ends the time of every log that is here of an actor, and of what is found by it. Again is a no-op. */
  expireLogsOf(tenant: string, actorId: string, now: Date): Promise<void>;

  registry(tenant: string, kind: 'actor', id: string): Promise<RegistryRecord | undefined>;

  /** What is findable now: the highest score first, then the oldest, then by id. */
  search(scope: SearchScope, query: SearchQuery): Promise<SearchPage>;

  /**
   * Executions the newest first by arrival, then id. What is of other actors, or comes before or after the page, is not
   * read, unless it came in the same millisecond.
   */
  newest(scope: Omit<SearchScope, 'kind' | 'id'>, query: NewestQuery): Promise<readonly PlacedEntry[]>;

  /** Of every tenant, those of actors that are no more too. */
  totalsByActor(): Promise<readonly (ExecutionTotals & ActorKey)[]>;

  /** Resolves when it answers. */
  ping(): Promise<void>;

  close(): Promise<void>;
}
