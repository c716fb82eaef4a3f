/** Actors as they stand in Redis: one JSON record of what was set, and fields for what scripts decide on. */

import type { Fields } from '../executions/execution-record.ts';
import { readWait } from '../executions/execution-record.ts';
import type { Resources } from '../launcher/resources.ts';
import { parseExactJson } from '../lib/exact-json.ts';
import { optional } from '../lib/optional.ts';
import type { Actor, ActorStatus } from './actor.ts';

/** What only scripts change; everything else of an actor is in its record. */
type LiveField = 'revision' | 'status' | 'statusMessage' | 'digest' | 'wait' | 'version' | 'stateVersion';

/** What a caller gives to create or replace an actor; the rest is decided by scripts. */
export type ActorDraft = Omit<Actor, LiveField>;

type StoredRecord = Omit<
  ActorDraft,
  'createTime' | 'lastUpdateTime' | 'groups' | 'resources' | 'cronSchedule' | 'cronOn' | 'cronNextEx'
> & {
  /** Absent in records of earlier versions. */
  readonly groups?: readonly number[];
  readonly cronOn?: boolean;
  readonly resources?: Resources;
  readonly createTime: number;
  readonly lastUpdateTime: number;
};

export function writeActor(actor: ActorDraft): string {
  const { revision: _r, status: _s, statusMessage: _m, digest: _d, wait: _w, ...kept } = actor as Actor;
  const { version: _v, stateVersion: _sv, ...rest } = kept;
  const { cronSchedule: _c, cronNextEx: _n, ...draft } = rest;
  const record: StoredRecord = {
    ...draft,
    createTime: actor.createTime.getTime(),
    lastUpdateTime: actor.lastUpdateTime.getTime(),
  };
  return JSON.stringify(record);
}

/** What `writeActor` wrote, of an actor without its link. */
export function withoutLink(record: string): string {
  return JSON.stringify({ ...(parseExactJson(record) as StoredRecord), link: '' });
}

/** @returns nothing when there is no such actor, or no more. */
export function readActor(fields: Fields): Actor | undefined {
  const stored = fields.get('record')?.toString();
  const status = fields.get('status')?.toString();
  if (stored === undefined || status === undefined || status === 'deleted') return undefined;
  // For the values of its environment.
  const record = parseExactJson(stored) as StoredRecord;
  const wait = fields.get('wait')?.toString();
  return {
    ...record,
    groups: record.groups ?? [],
    cronOn: record.cronOn ?? false,
    cronSchedule: fields.get('cronSchedule')?.toString() || null,
    cronNextEx: fields.get('cronNext')?.toString() || null,
    resources: record.resources ?? {},
    createTime: new Date(record.createTime),
    lastUpdateTime: new Date(record.lastUpdateTime),
    revision: Number(fields.get('revision')?.toString() ?? '1'),
    version: Number(fields.get('version')?.toString() ?? '0'),
    stateVersion: Number(fields.get('stateVersion')?.toString() ?? '0'),
    status: status as ActorStatus,
    statusMessage: fields.get('statusMessage')?.toString() ?? '',
    ...optional('digest', fields.get('digest')?.toString()),
    ...optional('wait', wait === undefined ? undefined : readWait(wait)),
  };
}
