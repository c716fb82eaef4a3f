/**
 * A host whose looks at small files are gathered: what is asked for in one turn, by however many, is one round. While a
 * round is under way, the next gathers; so a slow connection makes rounds larger, and never more of them.
 */

import { ServiceError } from '../../src/errors.ts';
import type { FileRead, Host } from './host.ts';

/** Wanted of one round at most: half of what fits into a frame of the agent, as heads take their part. */
const mostBytes = 32 * 1024 * 1024;

export function readTogether(host: Host): Host {
  const readMany = gather<FileRead, Awaited<ReturnType<Host['readMany']>>[number]>(
    async (reads) => await host.readMany(reads),
    ({ length }) => length,
  );
  const readLinks = gather<string, string | undefined>(
    async (paths) => await host.readLinks(paths),
    () => 4_096,
  );
  return { ...withoutState(host), readMany, readLinks };
}

/** A host may answer by getters, as one behind SSH does of its mode; a copy would keep what it was. */
function withoutState(host: Host): Host {
  return {
    name: host.name,
    run: async (command, signal) => await host.run(command, signal),
    put: async (path, content, options) => await host.put(path, content, options),
    get: (path, range) => host.get(path, range),
    readMany: async (reads) => await host.readMany(reads),
    link: async (path, target) => await host.link(path, target),
    readLinks: async (paths) => await host.readLinks(paths),
    hash: async (path) => await host.hash(path),
    makeDirectory: async (path, mode) => await host.makeDirectory(path, mode),
    list: async (path) => await host.list(path),
    removeTree: async (path) => await host.removeTree(path),
    waitForChange: async (path, timeoutMs, signal) => await host.waitForChange(path, timeoutMs, signal),
    close: async () => await host.close(),
  };
}

interface Asked<A, B> {
  readonly items: readonly A[];
  readonly resolve: (answers: readonly B[]) => void;
  readonly reject: (error: unknown) => void;
}

function gather<A, B>(ask: (items: readonly A[]) => Promise<readonly B[]>, weigh: (item: A) => number) {
  let waiting: Asked<A, B>[] = [];
  let isUnderWay = false;

  /** Ends in the same turn in which it finds nothing more, so that nobody can come in between and wait for ever. */
  async function rounds(): Promise<void> {
    while (waiting.length > 0) {
      const { round, rest } = firstRound(waiting, weigh);
      waiting = [...rest];
      await answer(round);
    }
    isUnderWay = false;
  }

  async function answer(round: readonly Asked<A, B>[]): Promise<void> {
    try {
      const answers = await ask(round.flatMap(({ items }) => items));
      let at = 0;
      for (const { items, resolve } of round) {
        resolve(answers.slice(at, at + items.length));
        at += items.length;
      }
    } catch (thrown) {
      const isOne = round.length === 1 || (thrown instanceof ServiceError && thrown.retryable);
      if (isOne) for (const { reject } of round) reject(thrown);
      // What one may not read is no trouble of the others.
      else for (const one of round) await answer([one]);
    }
  }

  return async (items: readonly A[]): Promise<readonly B[]> => {
    if (items.length === 0) return [];
    const { promise, resolve, reject } = Promise.withResolvers<readonly B[]>();
    waiting.push({ items, resolve, reject });
    if (!isUnderWay) {
      isUnderWay = true;
      // After all that goes on from the same answer, or the same tick, has asked.
      setImmediate(() => void rounds());
    }
    return await promise;
  };
}

function firstRound<A, B>(waiting: readonly Asked<A, B>[], weigh: (item: A) => number) {
  let bytes = 0;
  const after = waiting.findIndex(({ items }, index) => {
    bytes += items.reduce((sum, item) => sum + weigh(item), 0);
    return index > 0 && bytes > mostBytes;
  });
  const count = after < 0 ? waiting.length : after;
  return { round: waiting.slice(0, count), rest: waiting.slice(count) };
}
