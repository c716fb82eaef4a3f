/**
 * Promises 1 to 4 under fire: real processes are killed and frozen at every named point of an execution's path. A short
 * form runs with everything else; `npm run test:crash` runs the long one.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CrashBench, makeCrashBench, type Supervisor, type TestActor } from '../support/crash-bench.ts';
import { until } from '../support/until.ts';

const isLong = process.env['ABACO_TEST_CRASH'] === 'long';

const points = [
  'before-intent',
  'after-intent',
  'before-create',
  'after-create',
  'before-start',
  'after-start',
  'after-launch',
  'after-handle',
  'before-collect',
  'before-settle',
  'after-settle',
  'before-remove',
  'after-remove',
  'after-cleanup',
] as const;

const shortPoints: readonly string[] = [
  'after-intent',
  'before-create',
  'after-create',
  'after-start',
  'before-settle',
  'before-remove',
];
const chosen = points.filter((point) => isLong || shortPoints.includes(point));

let bench: CrashBench;

beforeAll(async () => {
  bench = await makeCrashBench();
}, 60_000);

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** One end and one start for each of them, and nothing of the installation left. */
async function expectOneStartOneEnd(ids: readonly string[], actor: TestActor = 'stateless'): Promise<void> {
  await bench.untilEnded(ids, actor);
  await expectOneStart(ids);
  for (const id of ids) {
    const execution = await bench.execution(id, actor);
    expect(execution).toMatchObject({ status: 'COMPLETE', exit_code: 0, end: 'exited' });
    expect(bench.endsTold(id), `ends of ${id}`).toBeLessThanOrEqual(1);
  }
  await expectNothingLeft();
}

async function expectOneStart(ids: readonly string[]): Promise<void> {
  const starts = (await bench.starts()).map((line) => line.split(' ')[0]);
  for (const id of ids) {
    expect(
      starts.filter((start) => start === id),
      `starts of ${id}`,
    ).toHaveLength(1);
  }
}

async function expectNothingLeft(): Promise<void> {
  let left: readonly string[] = [];
  await until(
    async () => {
      left = await bench.leftovers();
      return left.length === 0;
    },
    { timeoutMs: 20_000, everyMs: 100, what: 'nothing to be left' },
  ).catch((error: unknown) => {
    throw new Error(`Left over: ${left.join(', ')}`, { cause: error });
  });
}

describe('a supervisor that is killed', () => {
  it.each(chosen)(
    'at %s costs delay, and no second start',
    async (point) => {
      const victim = await bench.startSupervisor(`${point} kill`);
      const id = await bench.post(`kill ${point}`);
      await victim.untilHit();
      await victim.stop('SIGKILL');
      expect(await bench.unowed(), 'to be found by chance alone').toEqual([]);
      const next = await bench.startSupervisor();
      await expectOneStartOneEnd([id]);
      await next.stop();
      expect(bench.strays(), 'found by chance, where it was to be owed').toEqual([]);
    },
    60_000,
  );
});

describe('an actor that is deleted while nobody holds its execution', () => {
  it('ends what a killed supervisor had started and not written down', async () => {
    const victim = await bench.startSupervisor('after-launch kill');
    const id = await bench.post('deleted meanwhile', 'doomed');
    await victim.untilHit();
    await victim.stop('SIGKILL');
    // Asks for the end of what runs at once, and waits for it.
    const deleting = bench.deleteActor('doomed');
    const next = await bench.startSupervisor();
    await deleting;
    await expectNothingLeft();
    await expectOneStart([id]);
    await next.stop();
    expect(bench.strays(), 'found by chance, where it was to be owed').toEqual([]);
  }, 60_000);
});

describe('a supervisor that is frozen until another has settled and removed', () => {
  it.each(chosen)(
    'at %s changes nothing when it wakes',
    async (point) => {
      const frozen = await bench.startSupervisor(`${point} stop`);
      const id = await bench.post(`freeze ${point}`);
      await frozen.untilHit();
      const other = await bench.startSupervisor();
      await expectOneStartOneEnd([id]);
      frozen.child.process.kill('SIGCONT');
      const second = await bench.post(`after ${point}`);
      await expectOneStartOneEnd([second]);
      // Drained last, so that it has left the step at which it was frozen.
      await frozen.stop();
      await expectOneStartOneEnd([id, second]);
      await other.stop();
      // What it made after the removal could belong to nobody: only the sweep finds such.
      bench.strays();
    },
    90_000,
  );
});

describe('a supervisor that is frozen until another runs its message', () => {
  // Both make the same attempt, which starts once; what the one that wakes learns of it is late, whatever it is.
  it('at before-intent changes nothing when it wakes', async () => {
    const frozen = await bench.startSupervisor('before-intent stop');
    const held = await bench.hold('overtaken');
    const id = await bench.post('overtaken');
    await frozen.untilHit();
    const other = await bench.startSupervisor();
    await until(async () => (await bench.starts()).includes(`${id} overtaken`), { timeoutMs: 20_000 });
    frozen.child.process.kill('SIGCONT');
    await frozen.stop();
    await held.release();
    await expectOneStartOneEnd([id]);
    await other.stop();
    expect(bench.strays(), 'found by chance, where it was to be owed').toEqual([]);
  }, 60_000);
});

describe('random kills under load', () => {
  const kills = isLong ? 20 : 4;
  const messages = isLong ? 200 : 30;

  it(`of supervisors and of Redis, ${kills} times under ${messages} messages, lose and repeat nothing`, async () => {
    const supervisors: Supervisor[] = [await bench.startSupervisor(), await bench.startSupervisor()];
    const ordered: string[] = [];
    const posting = (async () => {
      const ids: string[] = [];
      for (let index = 0; index < messages; index += 1) {
        if (index % 10 === 0) ordered.push(await bench.post(`ordered ${index}`, 'stateful'));
        else ids.push(await bench.post(`load ${index}`));
      }
      return ids;
    })();
    for (let kill = 0; kill < kills; kill += 1) {
      const before = (await bench.starts()).length;
      await until(async () => (await bench.starts()).length > before, { timeoutMs: 5_000 }).catch(() => undefined);
      if (kill % 4 === 3) {
        await bench.redis.stop('SIGKILL');
        await bench.redis.start();
        continue;
      }
      const victim = Math.floor(Math.random() * supervisors.length);
      await supervisors[victim]?.stop('SIGKILL');
      supervisors[victim] = await bench.startSupervisor();
    }
    const ids = await posting;
    await expectOneStartOneEnd(ids);
    await expectOneStartOneEnd(ordered, 'stateful');
    const order = (await bench.starts()).map((line) => line.split(' ')[0] ?? '').filter((id) => ordered.includes(id));
    expect(order).toEqual(ordered);
    for (const supervisor of supervisors) await supervisor.stop();
    expect(bench.strays(), 'found by chance, where it was to be owed').toEqual([]);
  }, 600_000);
});
