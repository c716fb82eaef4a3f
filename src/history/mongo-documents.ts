/** What the MongoDB history keeps, as documents and the operations that write each of them once. */

import type { AnyBulkWriteOperation, Document } from 'mongodb';
import type { LogRef } from '../executions/execution.ts';
import { optional } from '../lib/optional.ts';
import { type BodyRecord, bodyOf, bodyRecordOf, type ExecutionRecord, expiredLog } from './execution-record.ts';
import type { EndedExecution, RegistryRecord } from './history.ts';

/** `results` counts the results that belong to this end. */
export type ExecutionDocument = ExecutionRecord & { readonly results: number };

export interface LogDocument {
  readonly body: BodyRecord;
  readonly truncated: boolean;
  /** Gone once `expired`, so that the index on it holds only what is still to expire. */
  readonly expiresAt?: Date;
  readonly expired?: boolean;
}

export interface ResultDocument {
  readonly place: number;
  readonly body: BodyRecord;
}

/** `record` is JSON text: names in it are the users' and may hold what MongoDB does not allow in a name. */
export type RegistryDocument = Omit<RegistryRecord, 'record'> & { readonly record: string | null };

type Write = AnyBulkWriteOperation;

export function writeLog({ execution, log, logExpiresAt }: EndedExecution): Write {
  const { tenant, actorId, id } = execution;
  const document: LogDocument = {
    body: bodyRecordOf(log.body),
    truncated: log.truncated,
    ...optional('expiresAt', logExpiresAt),
  };
  return insertOnce({ tenant, actorId, executionId: id }, document);
}

export function writeResults({ execution, results }: EndedExecution): Write[] {
  const { tenant, actorId, id } = execution;
  return results.map((body, place) =>
    insertOnce({ tenant, actorId, executionId: id, place }, { body: bodyRecordOf(body) }),
  );
}

export function writeExecution({ execution, results }: EndedExecution): Write {
  const { tenant, actorId, id, ...rest } = execution;
  return insertOnce({ tenant, actorId, id }, { ...rest, results: results.length });
}

/** First the record of something unknown, then, in a second bulk, the newer record of something known. */
export function writeRegistry(registry: readonly RegistryRecord[]): {
  readonly added: Write[];
  readonly raised: Write[];
} {
  return {
    added: registry.map(({ tenant, kind, id, version, record }) =>
      insertOnce({ tenant, kind, id }, { version, record: record && JSON.stringify(record) }),
    ),
    raised: registry.map(({ tenant, kind, id, version, record }) => ({
      updateOne: {
        filter: { tenant, kind, id, version: { $lt: version } },
        update: { $set: { version, record: record && JSON.stringify(record) } },
      },
    })),
  };
}

export function logOf({ body, truncated, expiresAt, expired }: LogDocument, now: Date): LogRef {
  if (expired === true || (expiresAt !== undefined && expiresAt <= now)) return expiredLog();
  return { body: bodyOf(body), truncated };
}

export function registryOf({ tenant, kind, id, version, record }: RegistryDocument): RegistryRecord {
  return {
    tenant,
    kind,
    id,
    version,
    record: record === null ? null : (JSON.parse(record) as Record<string, unknown>),
  };
}

/** Writes the document unless one with this key is there: a repeat changes nothing. */
function insertOnce(key: Document, rest: object): Write {
  return { updateOne: { filter: key, update: { $setOnInsert: rest }, upsert: true } };
}
