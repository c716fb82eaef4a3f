/** What an attempt has written, what its program used, and what Slurm has on its books about it. */

import { type EndRecord, toldByRecord } from '../../src/launcher/end-record.ts';
import type { Accounting, AttemptRef, ExecutionOutput } from '../../src/launcher/launcher.ts';
import type { StartMarker } from '../../src/launcher/ledger.ts';
import type { OutputLimits } from '../../src/launcher/output-limits.ts';
import type { Desk } from './desk.ts';
import type { FollowedJob, JobPoller } from './job-poller.ts';
import { holderOf } from './marker-holder.ts';

export interface CollectOptions {
  readonly desk: Desk;
  readonly ref: AttemptRef;
  readonly job: FollowedJob;
  readonly poller: JobPoller;
  readonly limits: OutputLimits;
  /** Called where its end record was seen. */
  readonly onEnd: () => void;
  /** How long an ended attempt waits for the accounting. */
  readonly accountingMs: number;
}

export async function collectOutput(options: CollectOptions): Promise<ExecutionOutput> {
  const { desk, ref, limits } = options;
  // In one turn, so that it is one round for all that is collected now.
  const [record, output] = await Promise.all([desk.ledger.readEnd(ref), desk.reader.look(ref, limits)]);
  const readAccounting = async (): Promise<Accounting | undefined> =>
    await findAccounting(options, record).catch(() => undefined);
  if (!record) {
    return { ...output, logTruncated: output.logBytes >= limits.logBytes, droppedResults: 0, readAccounting };
  }
  options.onEnd();
  // What the end record tells of and cannot be read any more was lost on the way.
  const logTruncated = record.logTotalBytes > Math.min(record.logBytes, output.logBytes);
  return { ...output, ...toldByRecord(record), logTruncated, readAccounting };
}

/** Of the job that started the program, which may be another than the one that was followed, or an earlier start of it. */
async function findAccounting(
  { desk, ref, job, poller, accountingMs }: CollectOptions,
  end: EndRecord | undefined,
): Promise<Accounting | undefined> {
  // By an end record the marker's owner is known, also where both have been removed since.
  const marker: StartMarker = end ? { kind: 'started', owner: end.owner } : await desk.ledger.readMarker(ref);
  if (marker.kind !== 'started') return undefined;
  const holder = holderOf(marker);
  const named = holder ? { ...job, id: holder.jobId, handedOver: job.id } : job;
  const records = await poller.account(named, accountingMs);
  if (!records) return undefined;
  const restarts = holder?.restarts ?? 0;
  const own = records.find((record) => record.restarts === restarts) ?? records[restarts];
  return (own ?? records.at(-1))?.accounting;
}
