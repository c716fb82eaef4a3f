/** The workers of one actor on this host: begins and retires them, and keeps their records. */

import type { Actor } from '../actors/actor.ts';
import { asError } from '../errors.ts';
import { startWorker, type Worker, type WorkerOptions } from './worker.ts';
import type { WorkerStore } from './worker-store.ts';

export interface Crew {
  /** How many run an execution, those that end after it among them. */
  busy(): number;
  /** Whether one waits for a message. */
  hasReady(): boolean;
  /** Begins workers, or retires ready ones, until there are so many. Those that are busy stay. */
  resize(count: number): void;
  /** There may be something to claim. */
  wake(): void;
  /** Retires those that were asked to stop, and says of the others that they live. */
  tend(): Promise<void>;
  /** Resolves when all have ended. Again waits for the same. */
  retire(): Promise<void>;
}

export interface CrewOptions extends Omit<WorkerOptions, 'id'> {
  readonly records: Pick<WorkerStore, 'save' | 'remove' | 'stopRequested'>;
  readonly nextWorkerId: () => string;
  readonly hostId: string;
  /** The actor by what is known of it. */
  readonly known: () => Actor;
  /** One that was to end after what it ran has: of the messages that wait there need be no more news. */
  readonly onLeft: () => void;
}

export function createCrew(options: CrewOptions): Crew {
  const { actor: ref, records, log } = options;
  const workers = new Set<Worker>();
  /** They claim no more, and end after what they run. */
  const leaving = new Map<Worker, Promise<void>>();

  const busyOf = (some: Iterable<Worker>): number => [...some].filter((worker) => worker.busy).length;
  const ready = (): readonly Worker[] => [...workers].filter((worker) => !worker.busy);

  function begin(): void {
    const worker = startWorker({
      ...options,
      id: options.nextWorkerId(),
      onTaken(waiting) {
        void saveRecord(worker);
        options.onTaken(waiting);
      },
      onFree() {
        if (workers.has(worker)) options.onFree();
        else options.onLeft();
        void saveRecord(worker);
      },
    });
    workers.add(worker);
    void saveRecord(worker);
  }

  function end(worker: Worker): void {
    workers.delete(worker);
    const ended = worker
      .retire()
      .then(() => records.remove(ref, worker.id))
      .catch((thrown: unknown) => log.debug({ err: asError(thrown) }, 'worker record not removed'))
      .then(() => void leaving.delete(worker));
    leaving.set(worker, ended);
  }

  async function saveRecord(worker: Worker): Promise<void> {
    // The record of one that has ended may be removed already.
    if (!workers.has(worker) && !worker.busy) return;
    const actor = options.known();
    const record = {
      ...ref,
      id: worker.id,
      status: worker.busy ? ('busy' as const) : ('ready' as const),
      image: actor.image,
      hostId: options.hostId,
      location: options.launcherOf(actor)?.place ?? '',
      createTime: worker.createTime,
      lastHealthCheckTime: new Date(),
      ...(worker.lastExecutionTime ? { lastExecutionTime: worker.lastExecutionTime } : {}),
    };
    await records
      .save(record)
      .catch((thrown: unknown) => log.debug({ err: asError(thrown) }, 'worker record not kept'));
  }

  return {
    busy: () => busyOf(workers) + busyOf(leaving.keys()),
    hasReady: () => ready().length > 0,
    resize(count) {
      const there = workers.size + busyOf(leaving.keys());
      if (there === count) return;
      for (let more = there; more < count; more += 1) begin();
      for (const worker of ready().slice(0, Math.max(0, there - count))) end(worker);
    },
    wake() {
      for (const worker of workers) worker.wake();
    },
    async tend() {
      const asked = await records.stopRequested(ref);
      for (const worker of workers) if (asked.has(worker.id)) end(worker);
      for (const worker of [...workers, ...leaving.keys()]) await saveRecord(worker);
    },
    async retire() {
      for (const worker of workers) end(worker);
      await Promise.all(leaving.values());
    },
  };
}
