import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { AttemptRef, Launcher } from '../../../src/launcher/launcher.ts';
import type { LauncherEntry } from '../../../src/launcher/launcher-table.ts';
import { sweepAttempts } from '../../../src/launcher/sweep-attempts.ts';
import type { ActorRef } from '../../../src/mailbox/keys.ts';
import { createRecovery } from '../../../src/workers/recovery.ts';

const attempts = (count: number): AttemptRef[] =>
  Array.from({ length: count }, (_, index) => ({ executionId: `x${index}`, attempt: 1 }));

/** A launcher on which each of the lists is what is there of one owner. */
function openBench(lists: readonly (() => readonly AttemptRef[])[], live: ReadonlySet<string>) {
  const removed: AttemptRef[] = [];
  const reads: ActorRef[] = [];
  const lines: Record<string, unknown>[] = [];
  const sweep: Launcher['sweep'] = async (findDead, signal) => {
    const remove = async (ref: AttemptRef) => void removed.push(ref);
    for (const list of lists) await sweepAttempts({ list: async () => list(), findDead, remove, signal });
    return removed;
  };
  const entry = { name: 'local', place: 'local@here', launcher: { sweep } } as unknown as LauncherEntry;
  const recovery = createRecovery({
    actors: { refs: async () => ['a1', 'a2', 'a3'].map((actorId) => ({ tenant: 't', actorId })) },
    mailbox: {
      adopt: async () => ({ kind: 'none' }),
      cleanups: async () => [],
      cleanupDone: async () => undefined,
      async liveIds(actor) {
        reads.push(actor);
        return actor.actorId === 'a1' ? [...live] : [];
      },
    },
    launchers: { entries: [entry], byName: () => entry, byPlace: () => entry },
    run: async () => 'settled',
    nextWorkerId: () => 'w',
    leaseMs: 1_000,
    log: pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) }),
    leaving: new AbortController().signal,
  });
  return { recovery, removed, reads, lines };
}

describe('a sweep', () => {
  it('reads once who lives for all that is there of an owner, however much it is', async () => {
    const bench = openBench([() => attempts(5_000)], new Set(['x1']));
    await bench.recovery.sweep();
    expect(bench.reads).toHaveLength(3);
    expect(bench.removed).not.toContainEqual({ executionId: 'x1', attempt: 1 });
  });

  it('takes nothing for dead that was posted after who lives was read for another', async () => {
    const live = new Set(['x0']);
    const late = (): readonly AttemptRef[] => {
      live.add('late');
      return [{ executionId: 'late', attempt: 1 }];
    };
    const bench = openBench([() => attempts(2), late], live);
    await bench.recovery.sweep();
    expect(bench.removed).toEqual([{ executionId: 'x1', attempt: 1 }]);
  });

  it('reads nothing more where all is known to live', async () => {
    const bench = openBench([() => attempts(2), () => attempts(2)], new Set(['x0', 'x1']));
    await bench.recovery.sweep();
    expect([bench.reads.length, bench.removed]).toEqual([3, []]);
  });

  it('names a few strays each, and tells of many in one line', async () => {
    const few = openBench([() => attempts(20)], new Set());
    await few.recovery.sweep();
    expect(new Set(few.lines.map(({ executionId }) => executionId))).toEqual(
      new Set(attempts(20).map(({ executionId }) => executionId)),
    );
    const many = openBench([() => attempts(21)], new Set());
    await many.recovery.sweep();
    expect(many.lines).toEqual([expect.objectContaining({ launcher: 'local@here', count: 21 })]);
  });
});
