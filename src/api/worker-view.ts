import type { WorkerRecord } from '../workers/worker-store.ts';
import { type AbsentTimes, type Attributes, renderLastTime, renderTime, workerStatusWords } from './wire.ts';

/** A worker as clients see it (contract §7.11); what only the original's worker container has is null. */
export function renderWorker(record: WorkerRecord, absent: AbsentTimes): Attributes {
  return {
    ch_name: `worker_${record.id}`,
    cid: null,
    create_time: renderTime(record.createTime),
    host_id: record.hostId,
    host_ip: null,
    id: record.id,
    image: record.image,
    last_execution_time: renderLastTime(record.lastExecutionTime, absent),
    last_health_check_time: renderTime(record.lastHealthCheckTime),
    location: record.location,
    status: workerStatusWords[record.status],
    tenant: record.tenant,
  };
}
