/** Records of workers, for people and for the supervisor: who serves an actor, where, and how many were asked for. */

import type { Redis } from 'ioredis';
import type { Actor } from '../actors/actor.ts';
import { type ActorRef, createKeys } from '../mailbox/keys.ts';
import { throwRedisError } from '../storage/redis.ts';

/** Lower case of the contract's words. */
export type WorkerStatus = 'ready' | 'busy' | 'shutdown_requested' | 'shutting_down';

export interface WorkerRecord {
  readonly tenant: string;
  readonly actorId: string;
  readonly id: string;
  readonly status: WorkerStatus;
  readonly image: string;
  /** The machine its supervisor runs on. */
  readonly hostId: string;
  /** The launcher it starts containers with. */
  readonly location: string;
  readonly createTime: Date;
  readonly lastHealthCheckTime: Date;
  readonly lastExecutionTime?: Date;
}

export interface WorkerStore {
  list(actor: ActorRef): Promise<readonly WorkerRecord[]>;
  get(actor: ActorRef, workerId: string): Promise<WorkerRecord | undefined>;
  /** Of every tenant: those that live. */
  all(): Promise<readonly WorkerRecord[]>;
  /** How many there are of every tenant. */
  count(): Promise<number>;
  save(record: WorkerRecord): Promise<void>;
  remove(actor: ActorRef, workerId: string): Promise<void>;
  /** The worker ends after what it is running, and is none of those asked for. @returns whether there is such a worker. */
  requestStop(actor: ActorRef, workerId: string): Promise<boolean>;
  stopRequested(actor: ActorRef): Promise<ReadonlySet<string>>;
  /** Asks for at least `count` workers from now on. */
  want(actor: ActorRef, count: number): Promise<void>;
  /** How many were asked for; 0 when nobody did. */
  wanted(actor: ActorRef): Promise<number>;
}

type Stored = Omit<WorkerRecord, 'createTime' | 'lastHealthCheckTime' | 'lastExecutionTime'> & {
  readonly createTime: number;
  readonly lastHealthCheckTime: number;
  readonly lastExecutionTime?: number;
};

const wantedField = '#wanted';
const stopField = (workerId: string): string => `#stop:${workerId}`;

/** A record nobody has refreshed for this long belongs to a supervisor that died. */
const staleAfterMs = 60_000;

export function createWorkerStore(options: { readonly redis: Redis; readonly prefix: string }): WorkerStore {
  const { redis } = options;
  const keys = createKeys(options.prefix);

  async function list(actor: ActorRef): Promise<readonly WorkerRecord[]> {
    const fields = await redis.hgetall(keys.of(actor).workers).catch(throwRedisError);
    return Object.entries(fields)
      .filter(([name]) => !name.startsWith('#'))
      .map(([id, value]) => {
        const record = readRecord(value);
        return stopField(id) in fields ? { ...record, status: 'shutdown_requested' as const } : record;
      })
      .filter((record) => Date.now() - record.lastHealthCheckTime.getTime() < staleAfterMs);
  }

  async function wanted(actor: ActorRef): Promise<number> {
    return Number((await redis.hget(keys.of(actor).workers, wantedField).catch(throwRedisError)) ?? 0);
  }

  return {
    list,
    async get(actor, workerId) {
      return (await list(actor)).find((record) => record.id === workerId);
    },
    async all() {
      const members = await redis.zrangebyscore(keys.workers, oldest(), '+inf').catch(throwRedisError);
      const refs = new Map(members.map(readMember).map((ref) => [`${ref.tenant}:${ref.actorId}`, ref]));
      const lists = await Promise.all([...refs.values()].map(list));
      return lists.flat();
    },
    async count() {
      return await redis.zcount(keys.workers, oldest(), '+inf').catch(throwRedisError);
    },
    // In the list of all first: who is there without a record is passed over, a record that is not there would be lost.
    async save(record) {
      await Promise.all([
        redis.zadd(keys.workers, record.lastHealthCheckTime.getTime(), memberOf(record, record.id)),
        redis.zremrangebyscore(keys.workers, '-inf', `(${oldest()}`),
        redis.hset(keys.of(record).workers, record.id, writeRecord(record)),
      ]).catch(throwRedisError);
    },
    async remove(actor, workerId) {
      await Promise.all([
        redis.hdel(keys.of(actor).workers, workerId, stopField(workerId)),
        redis.zrem(keys.workers, memberOf(actor, workerId)),
      ]).catch(throwRedisError);
    },
    async requestStop(actor, workerId) {
      const records = await list(actor);
      if (!records.some((record) => record.id === workerId)) return false;
      const { workers } = keys.of(actor);
      const asked = await redis.hsetnx(workers, stopField(workerId), '1').catch(throwRedisError);
      // Else another would begin in its place. One that is there beside those asked for leaves them as many.
      const fewer = asked === 1 && staying(records).length <= (await wanted(actor));
      if (fewer) await redis.hincrby(workers, wantedField, -1).catch(throwRedisError);
      return true;
    },
    async stopRequested(actor) {
      const names = await redis.hkeys(keys.of(actor).workers).catch(throwRedisError);
      return new Set(names.filter((name) => name.startsWith('#stop:')).map((name) => name.slice(6)));
    },
    async want(actor, count) {
      await redis.hset(keys.of(actor).workers, wantedField, count).catch(throwRedisError);
    },
    wanted,
  };
}

/** Those that nobody has asked to stop. */
export function staying(records: readonly WorkerRecord[]): readonly WorkerRecord[] {
  return records.filter(({ status }) => status === 'ready' || status === 'busy');
}

/** How many of the workers asked for are not there yet. A stateful actor has one at most. */
export function missing(actor: Pick<Actor, 'stateless'>, records: readonly WorkerRecord[], wanted: number): number {
  return Math.max(0, Math.min(wanted, actor.stateless ? wanted : 1) - staying(records).length);
}

/** Records from before it belong to supervisors that died. */
function oldest(): number {
  return Date.now() - staleAfterMs + 1;
}

function memberOf({ tenant, actorId }: ActorRef, workerId: string): string {
  return `${tenant}:${actorId}:${workerId}`;
}

function readMember(member: string): ActorRef {
  const [tenant = '', actorId = ''] = member.split(':');
  return { tenant, actorId };
}

function writeRecord(record: WorkerRecord): string {
  return JSON.stringify({
    ...record,
    createTime: record.createTime.getTime(),
    lastHealthCheckTime: record.lastHealthCheckTime.getTime(),
    lastExecutionTime: record.lastExecutionTime?.getTime(),
  });
}

function readRecord(value: string): WorkerRecord {
  const { lastExecutionTime, ...stored } = JSON.parse(value) as Stored;
  return {
    ...stored,
    createTime: new Date(stored.createTime),
    lastHealthCheckTime: new Date(stored.lastHealthCheckTime),
    ...(lastExecutionTime === undefined ? {} : { lastExecutionTime: new Date(lastExecutionTime) }),
  };
}
