import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import type { Execution } from '../../src/executions/execution.ts';
import type { EndedExecution, History, RegistryRecord } from '../../src/history/history.ts';
import { optional } from '../../src/lib/optional.ts';
import type { StoreMark } from '../../src/storage/store-mark.ts';
import { describeSearch } from './search-contract.ts';
import { until } from './until.ts';

/** One store, as often opened as a test likes. */
export interface HistoryStore extends AsyncDisposable {
  open(mark: StoreMark, now?: () => Date): Promise<History>;
  /** Makes the store refuse writes until `end`. Where the store is not ours to break, there is none. */
  readonly outage?: () => Promise<{ end(): Promise<void> }>;
}

export const ourMark: StoreMark = { installationId: 'here', shape: 3, writtenBy: 'abaco 0.3.0' };

const tenant = 'tacc';
const actorId = 'NolBaJ5y6714M';
const start = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function at(ms: number): Date {
  return new Date(start + ms);
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function anExecution(overrides: Partial<Execution> = {}): Execution {
  return {
    tenant,
    actorId,
    id: 'yXyrL1D5W5q65',
    state: 'complete',
    executor: 'jane',
    revision: 2,
    attempt: 1,
    workerId: 'w1',
    launcher: 'local',
    node: 'c1',
    receivedAt: at(0),
    startedAt: at(10),
    finishedAt: at(30),
    end: 'exited',
    exitCode: 0,
    usage: { cpuMs: 12, maxMemoryBytes: 4096, ioBytes: 100, runtimeMs: 20 },
    ...overrides,
  };
}

function blobLog(blob: string): EndedExecution['log'] {
  return { body: { blob, bytes: 10 }, truncated: true };
}

/** The key of one of our executions. */
function one(id: string): readonly [string, string, string] {
  return [tenant, actorId, id];
}

function anEnd(overrides: Partial<Execution> = {}, rest: Partial<EndedExecution> = {}): EndedExecution {
  const log = { body: { inline: bytes('said\n') }, truncated: false };
  return { execution: anExecution(overrides), log, results: [], ...rest };
}

function aRecord(version: number, record: RegistryRecord['record']): RegistryRecord {
  return { tenant, kind: 'actor', id: actorId, version, record };
}

/** States every promise of `History`; `make` gives a new and empty store. */
export function describeHistory(name: string, make: () => Promise<HistoryStore>): void {
  describe(`history in ${name}`, () => {
    let store: HistoryStore;
    let history: History;

    beforeEach(async () => {
      store = await make();
      history = await open();
    });
    afterEach(async () => {
      await history.close();
      await store[Symbol.asyncDispose]();
    });

    async function open(mark = ourMark, now?: () => Date): Promise<History> {
      const opened = await store.open(mark, now);
      onTestFinished(() => opened.close());
      return opened;
    }

    const keep = (...executions: EndedExecution[]) => history.write({ executions, registry: [] });
    const keepRecords = (...registry: RegistryRecord[]) => history.write({ executions: [], registry });

    async function pages(limit: number): Promise<string[]> {
      const ids: string[] = [];
      for (;;) {
        const page = await history.executions(tenant, actorId, { limit, ...optional('before', ids.at(-1)) });
        if (page.length === 0) return ids;
        expect(page.length).toBeLessThanOrEqual(limit);
        expect(page.map(({ id }) => id).filter((id) => ids.includes(id))).toEqual([]);
        ids.push(...page.map(({ id }) => id));
      }
    }

    describeSearch(
      () => history,
      (now) => open(ourMark, now),
    );

    describe('executions', () => {
      it('come back as they were written', async () => {
        const wait = {
          cause: 'busy',
          since: at(1),
          owner: 'scheduler',
          next: 'it starts',
          expected: at(9_000),
        } as const;
        const booked = { jobId: '7_1', elapsedMs: 20_000, cpuMs: 12, nodes: 'c[1-2]', maxMemoryBytes: 8_192 };
        const whole = anExecution({ endDetail: 'why \0 “so”', wait, accounting: { ...booked, energyJoules: 5 } });
        await keep({ ...anEnd(), execution: whole });
        expect(await history.execution(...one(whole.id))).toStrictEqual(whole);
      });

      it('take what books say of them when they are there, and then it stays', async () => {
        const booked = { jobId: '7_1', elapsedMs: 20_000, cpuMs: 12, nodes: 'c[1-2]', maxMemoryBytes: 8_192 };
        const end = anEnd({ id: 'e1', endDetail: 'why \0 “so”', node: 'unknown' });
        const all = ['e1', 'e3'].map((executionId) => ({ tenant, actorId, executionId, accounting: booked }));
        expect(await history.account(all)).toEqual([false, false]);
        await keep(end, anEnd({ id: 'e2' }), anEnd({ id: 'e1', tenant: 'sd2e' }));
        for (const _ of ['once', 'again']) expect(await history.account(all)).toEqual([true, false]);
        // As a process does that was killed before it knew that this was kept.
        await keep(end);
        const whole = { ...end.execution, node: 'c[1-2]', accounting: booked };
        expect(await history.execution(...one('e1'))).toStrictEqual(whole);
        expect(await history.executions(tenant, actorId, { limit: 10 })).toContainEqual(whole);
        for (const other of [one('e2'), ['sd2e', actorId, 'e1'] as const]) {
          expect(await history.execution(...other)).not.toHaveProperty('accounting');
        }
      });

      it('come back without what they never had', async () => {
        const never: Execution = {
          tenant,
          actorId,
          id: 'e1',
          state: 'error',
          executor: 'jane',
          revision: 1,
          attempt: 1,
          receivedAt: at(0),
          end: 'launch-failed',
        };
        await keep({ ...anEnd(), execution: never });
        expect(await history.execution(...one('e1'))).toStrictEqual(never);
      });

      it('are nothing where they are unknown', async () => {
        await keep(anEnd({ id: 'e1' }));
        expect(await history.execution(...one('e2'))).toBeUndefined();
        expect(await history.log(...one('e2'))).toBeUndefined();
        expect(await history.results(...one('e2'))).toEqual([]);
        expect(await history.executions(tenant, 'other', { limit: 10 })).toEqual([]);
      });

      it('are unchanged by the same batch again', async () => {
        const batch = { executions: [anEnd({ id: 'e1' }), anEnd({ id: 'e2' })], registry: [aRecord(1, { a: 1 })] };
        await history.write(batch);
        await history.write(batch);
        expect(await pages(10)).toEqual(['e2', 'e1']);
        expect(await history.totals(tenant, actorId)).toMatchObject({ count: 2, cpuMs: 24 });
      });

      it('keep their first end, its log and its results', async () => {
        const first = anEnd({ exitCode: 7 }, { results: [{ inline: bytes('one') }] });
        const lost = anEnd(
          { state: 'error', end: 'lost' },
          {
            log: { body: { blob: 'b1', bytes: 9 }, truncated: true },
            results: [{ inline: bytes('other') }, { inline: bytes('more') }],
          },
        );
        await keep(first);
        await keep(lost);
        const key = one(first.execution.id);
        expect(await history.execution(...key)).toStrictEqual(first.execution);
        expect(await history.log(...key)).toEqual(first.log);
        expect(await history.results(...key)).toEqual(first.results);
      });

      it('keep one end when two processes write the same batch at once', async () => {
        const other = await open();
        const executions = Array.from({ length: 50 }, (_, n) =>
          anEnd({ id: `e${n}` }, { results: [{ inline: bytes('r') }] }),
        );
        await Promise.all([history, other, history, other].map((to) => to.write({ executions, registry: [] })));
        expect(await history.totals(tenant, actorId)).toMatchObject({ count: 50 });
        expect(await history.results(...one('e49'))).toHaveLength(1);
      });

      it('never meet those of another tenant or actor', async () => {
        const secret = {
          log: { body: { inline: bytes('secret') }, truncated: false },
          results: [{ inline: bytes('s') }],
        };
        await keep(anEnd({ executor: 'mine' }));
        await keep(anEnd({ tenant: 'sd2e', executor: 'theirs' }, secret), anEnd({ actorId: 'other' }, secret));
        const { id } = anExecution();
        expect(await history.execution(...one(id))).toMatchObject({ tenant, actorId, executor: 'mine' });
        expect(await history.execution('sd2e', actorId, id)).toMatchObject({ tenant: 'sd2e', executor: 'theirs' });
        expect(await history.log(...one(id))).toEqual(anEnd().log);
        expect(await history.results(...one(id))).toEqual([]);
        expect(await pages(10)).toEqual([id]);
        expect(await history.totals('sd2e', actorId)).toMatchObject({ count: 1 });
      });

      it('are kept 2,000 at a time', async () => {
        const executions = Array.from({ length: 2000 }, (_, n) => anEnd({ id: `e${n}`, receivedAt: at(n) }));
        await history.write({ executions, registry: [] });
        expect(await history.totals(tenant, actorId)).toMatchObject({ count: 2000, cpuMs: 24_000 });
        expect(await history.execution(...one('e1999'))).toMatchObject({ receivedAt: at(1999) });
      });

      it('are all refused where one part of their batch cannot be written', async () => {
        const circle: Record<string, unknown> = {};
        circle['itself'] = circle;
        const batch = { executions: [anEnd({ id: 'e1' })], registry: [aRecord(1, {}), aRecord(2, circle)] };
        await expect(history.write(batch)).rejects.toThrow(TypeError);
        expect(await history.execution(...one('e1'))).toBeUndefined();
        expect(await history.registry(tenant, 'actor', actorId)).toBeUndefined();
      });

      it('are kept by an empty batch as they are', async () => {
        await history.write({ executions: [], registry: [] });
        expect(await pages(10)).toEqual([]);
      });
    });

    describe('pages', () => {
      it('are the newest by arrival first, then by id, whatever order they were written in', async () => {
        const ends = Array.from({ length: 40 }, (_, n) =>
          anEnd({ id: `e${(n * 17) % 40}`, receivedAt: at((n * 17) % 5) }),
        );
        await keep(...ends);
        const sorted = ends
          .map(({ execution }) => execution)
          .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime() || (a.id < b.id ? -1 : 1))
          .map(({ id }) => id)
          .toReversed();
        expect(await pages(7)).toEqual(sorted);
        expect(await pages(1)).toEqual(sorted);
      });

      it('go on before the last one when others arrived meanwhile', async () => {
        await keep(anEnd({ id: 'a', receivedAt: at(1) }), anEnd({ id: 'c', receivedAt: at(1) }));
        await keep(anEnd({ id: 'b', receivedAt: at(1) }), anEnd({ id: '0', receivedAt: at(2) }));
        const page = await history.executions(tenant, actorId, { before: 'c', limit: 10 });
        expect(page.map(({ id }) => id)).toEqual(['b', 'a']);
      });

      it('are empty before an execution that is not here', async () => {
        await keep(anEnd());
        expect(await history.executions(tenant, actorId, { before: 'alive', limit: 10 })).toEqual([]);
      });
    });

    describe('totals', () => {
      it('are zero where nothing has ended', async () => {
        expect(await history.totals(tenant, actorId)).toEqual({ count: 0, cpuMs: 0, ioBytes: 0, runtimeMs: 0 });
      });

      it('sum what was used and count what never started', async () => {
        const { usage: _, ...unstarted } = anExecution({ id: 'e3' });
        const usage = { cpuMs: 3, maxMemoryBytes: 1, ioBytes: 2 ** 52, runtimeMs: 7 };
        await keep(anEnd({ id: 'e1' }), anEnd({ id: 'e2', usage }), { ...anEnd(), execution: unstarted });
        expect(await history.totals(tenant, actorId)).toEqual({
          count: 3,
          cpuMs: 15,
          ioBytes: 2 ** 52 + 100,
          runtimeMs: 27,
        });
      });
    });

    describe('logs and results', () => {
      it('are kept byte by byte, also where they are no text', async () => {
        const every = Uint8Array.from({ length: 512 }, (_, n) => n % 256);
        const log = { body: { inline: every }, truncated: true };
        await keep(anEnd({}, { log, results: [{ inline: every }, { inline: new Uint8Array() }] }));
        const key = one(anExecution().id);
        expect(await history.log(...key)).toStrictEqual(log);
        expect(await history.results(...key)).toStrictEqual([{ inline: every }, { inline: new Uint8Array() }]);
      });

      it('are names of blobs where they were blobs', async () => {
        const log = { body: { blob: 'log1', bytes: 2 ** 33 }, truncated: false };
        await keep(anEnd({}, { log, results: [{ blob: 'r1', bytes: 5 }] }));
        expect(await history.log(...one(anExecution().id))).toStrictEqual(log);
        expect(await history.results(...one(anExecution().id))).toStrictEqual([{ blob: 'r1', bytes: 5 }]);
      });

      it('keep the order in which results were sent', async () => {
        const results = Array.from({ length: 120 }, (_, n) => ({ inline: bytes(String(n)) }));
        await keep(anEnd({}, { results }));
        expect(await history.results(...one(anExecution().id))).toEqual(results);
      });
    });

    describe('log expiry', () => {
      const empty = { body: { inline: new Uint8Array() }, truncated: false };

      it('empties a log as soon as its time has passed, and leaves the execution', async () => {
        let now = at(99);
        const timed = await open(ourMark, () => now);
        await timed.write({ executions: [anEnd({}, { logExpiresAt: at(100) })], registry: [] });
        const key = one(anExecution().id);
        expect(await timed.log(...key)).toEqual(anEnd().log);
        now = at(100);
        expect(await timed.log(...key)).toStrictEqual(empty);
        expect(await timed.execution(...key)).toStrictEqual(anExecution());
      });

      it('names each blob once, oldest first and at most as many as asked for', async () => {
        const ends = [3, 1, 2].map((n) => anEnd({ id: `e${n}` }, { log: blobLog(`b${n}`), logExpiresAt: at(n) }));
        await keep(...ends, anEnd({ id: 'inline' }, { logExpiresAt: at(1) }));
        await keep(anEnd({ id: 'later' }, { log: blobLog('later'), logExpiresAt: at(50) }));
        await keep(anEnd({ id: 'kept' }, { log: blobLog('kept') }));
        expect(await history.expireLogs(at(0), 10)).toEqual({ count: 0, blobs: [] });
        expect(await history.expiredBlobs(at(0), 10)).toEqual([]);
        expect(await history.expiredBlobs(at(10), 2)).toEqual(['b1']);
        expect((await history.expiredBlobs(at(10), 10)).toSorted()).toEqual(['b1', 'b2', 'b3']);
        const first = await history.expireLogs(at(10), 2);
        const second = await history.expireLogs(at(10), 10);
        expect(first).toEqual({ count: 2, blobs: ['b1'] });
        expect([...second.blobs].sort()).toEqual(['b2', 'b3']);
        expect(await history.expireLogs(at(10), 10)).toEqual({ count: 0, blobs: [] });
        expect(await history.expiredBlobs(at(10), 10)).toEqual([]);
      });

      it('leaves a swept log empty, also when its batch is repeated or the clock goes back', async () => {
        const timed = await open(ourMark, () => at(0));
        const batch = { executions: [anEnd({}, { log: blobLog('b1'), logExpiresAt: at(5) })], registry: [] };
        await timed.write(batch);
        expect((await timed.expireLogs(at(5), 10)).blobs).toEqual(['b1']);
        await timed.write(batch);
        expect(await timed.log(...one(anExecution().id))).toStrictEqual(empty);
        expect((await timed.expireLogs(at(5), 10)).blobs).toEqual([]);
      });

      it('names each blob to one of two sweeps at once', async () => {
        const other = await open();
        const ends = Array.from({ length: 20 }, (_, n) =>
          anEnd({ id: `e${n}` }, { log: blobLog(`b${n}`), logExpiresAt: at(0) }),
        );
        await keep(...ends);
        const swept = await Promise.all([history.expireLogs(at(1), 50), other.expireLogs(at(1), 50)]);
        expect(swept.flatMap(({ blobs }) => blobs).sort()).toEqual(ends.map((_, n) => `b${n}`).sort());
      });

      it('never empties a log without a time', async () => {
        await keep(anEnd());
        expect((await history.expireLogs(at(1e12), 10)).count).toBe(0);
        expect(await history.log(...one(anExecution().id))).toEqual(anEnd().log);
      });
    });

    describe('logs of an actor that is deleted', () => {
      const deleteLogs = () => history.expireLogsOf(tenant, actorId, at(10));

      it('are empty at once, however long they were to be kept, and their blobs are named', async () => {
        const timed = await open(ourMark, () => at(10));
        await keep(
          anEnd({ id: 'ever' }, { log: blobLog('b1') }),
          anEnd({ id: 'long' }, { log: blobLog('b2'), logExpiresAt: at(1e6) }),
          anEnd({ id: 'inline' }),
        );
        await deleteLogs();
        await deleteLogs();
        for (const id of ['ever', 'long', 'inline']) {
          expect((await timed.log(...one(id)))?.body).toEqual({ inline: new Uint8Array() });
          expect(await timed.execution(...one(id))).toMatchObject({ id });
        }
        const { count, blobs } = await history.expireLogs(at(10), 10);
        expect([count, blobs.toSorted()]).toEqual([3, ['b1', 'b2']]);
        // What is swept is not swept again.
        await deleteLogs();
        expect((await history.expireLogs(at(10), 10)).count).toBe(0);
      });

      it('were due already where their time was over, and are named in that order', async () => {
        await keep(
          anEnd({ id: 'e1' }, { log: blobLog('b1') }),
          anEnd({ id: 'e2' }, { log: blobLog('b2'), logExpiresAt: at(5) }),
        );
        await deleteLogs();
        expect((await history.expireLogs(at(10), 1)).blobs).toEqual(['b2']);
      });

      it('are those of no other actor', async () => {
        await keep(anEnd({ actorId: 'other' }), anEnd({ tenant: 'sd2e' }));
        await deleteLogs();
        expect((await history.expireLogs(at(1e9), 10)).count).toBe(0);
      });

      it('are as many as there are', async () => {
        const timed = await open(ourMark, () => at(10));
        await keep(...Array.from({ length: 4_500 }, (_, n) => anEnd({ id: `e${n}` })));
        await deleteLogs();
        for (const id of ['e0', 'e1999', 'e2000', 'e4499', 'e999']) {
          expect((await timed.log(...one(id)))?.body).toEqual({ inline: new Uint8Array() });
        }
      });
    });

    describe('registry records', () => {
      it('are nothing where they are unknown', async () => {
        expect(await history.registry(tenant, 'actor', actorId)).toBeUndefined();
      });

      it('come back whole, whatever their names hold', async () => {
        const record = aRecord(4, { 'a.b': { $set: 1, '': [null, true, 'ü\0'] }, 'x-y': 1.5 });
        await keepRecords(record);
        expect(await history.registry(tenant, 'actor', actorId)).toStrictEqual(record);
      });

      it('go to the higher version, in whatever order they come', async () => {
        await keepRecords(aRecord(2, { v: 2 }));
        await keepRecords(aRecord(1, { v: 1 }), aRecord(4, { v: 4 }), aRecord(3, { v: 3 }));
        expect(await history.registry(tenant, 'actor', actorId)).toEqual(aRecord(4, { v: 4 }));
        await keepRecords(aRecord(4, { v: 'other' }));
        expect(await history.registry(tenant, 'actor', actorId)).toEqual(aRecord(4, { v: 4 }));
      });

      it('say that something was deleted', async () => {
        await keepRecords(aRecord(1, { v: 1 }), aRecord(2, null));
        expect(await history.registry(tenant, 'actor', actorId)).toEqual(aRecord(2, null));
        await keepRecords(aRecord(1, { v: 1 }));
        expect(await history.registry(tenant, 'actor', actorId)).toEqual(aRecord(2, null));
      });

      it('never meet those of another tenant', async () => {
        await keepRecords(aRecord(5, { mine: true }), { ...aRecord(9, { theirs: true }), tenant: 'sd2e' });
        expect(await history.registry(tenant, 'actor', actorId)).toEqual(aRecord(5, { mine: true }));
      });
    });

    describe('the store', () => {
      it('keeps what was written when it is opened again', async () => {
        await keep(anEnd({}, { results: [{ inline: bytes('r') }] }));
        await history.close();
        history = await open();
        expect(await history.execution(...one(anExecution().id))).toStrictEqual(anExecution());
        expect(await history.results(...one(anExecution().id))).toHaveLength(1);
      });

      it('is refused to another installation, with a sentence that says whose it is', async () => {
        await expect(open({ ...ourMark, installationId: 'elsewhere' })).rejects.toMatchObject({
          code: 'storage.foreign',
          message: expect.stringMatching(/belongs to installation "here" \(written by abaco 0\.3\.0\)/),
        });
      });

      it('is refused to an older version, with a sentence that says what wrote it', async () => {
        await expect(open({ ...ourMark, shape: 2, writtenBy: 'abaco 0.2.0' })).rejects.toMatchObject({
          code: 'storage.foreign',
          message: expect.stringMatching(/written by abaco 0\.3\.0 in shape 3, and abaco 0\.2\.0 knows shapes up to 2/),
        });
      });

      it('is taken over by a newer version, and then refused to this one', async () => {
        await keep(anEnd());
        await history.close();
        const newer = await open({ ...ourMark, shape: 4, writtenBy: 'abaco 0.4.0' });
        expect(await newer.execution(...one(anExecution().id))).toStrictEqual(anExecution());
        await expect(open()).rejects.toMatchObject({
          code: 'storage.foreign',
          message: expect.stringMatching(/abaco 0\.4\.0/),
        });
      });

      it('answers a ping until it is closed; closing again is a no-op', async () => {
        await expect(history.ping()).resolves.toBeUndefined();
        await history.close();
        await history.close();
        await expect(history.ping()).rejects.toMatchObject({ code: 'history.unavailable', retryable: true });
      });

      it('says that it is unavailable during an outage, and goes on after it', async ({ skip }) => {
        if (store.outage === undefined) {
          skip('this server is not ours to stop');
          return;
        }
        await keep(anEnd({ id: 'before' }));
        const outage = await store.outage();
        const refused = { code: 'history.unavailable', retryable: true };
        await Promise.all([
          expect(keep(anEnd({ id: 'during' }))).rejects.toMatchObject(refused),
          expect(history.ping()).rejects.toMatchObject(refused),
        ]);
        await outage.end();
        await until(() => keep(anEnd({ id: 'during' })).then(() => true), { what: 'the history' });
        expect(await pages(10)).toEqual(['during', 'before']);
      });
    });
  });
}
