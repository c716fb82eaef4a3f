/**
 * Brings what a container writes to where readers are: the log to the blob directory while it runs, results to Redis as
 * they come, and at the end the whole log to the place it is kept.
 */

import type { Blobs, BlobWriter } from '../executions/blobs.ts';
import type { ExecutionUsage, Lease, LogRef } from '../executions/execution.ts';
import { keptLogName, liveLogName, resultName } from '../executions/live-log.ts';
import type { Accounting, ExecutionOutput, Launcher, LaunchHandle, Usage } from '../launcher/launcher.ts';
import { pause } from '../lib/backoff.ts';
import { optional } from '../lib/optional.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';

export interface CollectedOutput {
  readonly log: LogRef;
  readonly usage?: Usage;
  readonly settled?: ExecutionUsage;
  /** What the books of its scheduler say, when they do; does not reject. There where somebody keeps books. */
  readonly accounting?: Promise<Accounting | undefined>;
}

export interface LiveOutput {
  /** It was seen to run, so there may be something to read. */
  running(): void;
  /** Ends the copying of what comes; the last look may be under way until it resolves. */
  stop(): Promise<void>;
  /** Everything, once the attempt has ended. Again after a failure is harmless. */
  finish(signal: AbortSignal): Promise<CollectedOutput>;
}

export interface OutputCollector {
  readonly blobs: Pick<Blobs, 'open'>;
  follow(launcher: Launcher, handle: LaunchHandle, lease: Lease, resultsSoFar: number): LiveOutput;
}

export interface OutputCollectorOptions {
  readonly blobs: Blobs;
  readonly mailbox: Pick<Mailbox, 'appendResults'>;
  readonly pollMs: number;
  /** Logs and results up to this size are kept inline. */
  readonly inlineBytes: number;
  readonly onError: (error: unknown) => void;
}

/** Looks that bring nothing come less often, as most programs are silent most of the time. */
const mostTicks = 4;
/** Before it is known to run, least often: what waits in a queue writes nothing. */
const mostTicksWaiting = 16;

/** Results handed on in one step, so that neither a script nor a request grows without bound. */
const mostAtOnce = 64;

export function createOutputCollector(options: OutputCollectorOptions): OutputCollector {
  const { blobs, mailbox } = options;

  function follow(launcher: Launcher, handle: LaunchHandle, lease: Lease, resultsSoFar: number): LiveOutput {
    const stopping = new AbortController();
    const started = new AbortController();
    const name = liveLogName(lease.executionId);
    let results = resultsSoFar;
    let writer: BlobWriter | undefined;

    /** @returns whether it brought anything. */
    async function look(): Promise<boolean> {
      const before = { bytes: writer?.size ?? 0, results };
      const { signal } = stopping;
      const output = await launcher.collect(handle, signal);
      if (output.logBytes > (writer?.size ?? 0)) {
        writer ??= await blobs.openLog(name);
        for await (const chunk of unless(signal, output.readLog(writer.size))) await writer.append(chunk);
      }
      await passResults(output, signal);
      return results > before.results || (writer?.size ?? 0) > before.bytes;
    }

    async function passResults(output: ExecutionOutput, signal: AbortSignal): Promise<void> {
      let batch: LogRef['body'][] = [];
      const send = async (): Promise<void> => {
        const count = await mailbox.appendResults(lease, results, batch);
        if (count !== 'lost') results += batch.length;
        batch = [];
      };
      for await (const bytes of unless(signal, output.readResults(results))) {
        batch.push(await keep(bytes, resultName(lease.executionId, results + batch.length)));
        if (batch.length === mostAtOnce) await send();
      }
      if (batch.length > 0) await send();
    }

    async function keep(bytes: Uint8Array, blob: string): Promise<LogRef['body']> {
      if (bytes.byteLength <= options.inlineBytes) return { inline: bytes };
      return await blobs.put(bytes, blob);
    }

    async function keepLog(output: ExecutionOutput, signal: AbortSignal): Promise<LogRef> {
      const truncated = output.logTruncated;
      const pieces = unless(signal, output.readLog(0));
      if (output.logBytes > options.inlineBytes) {
        return { body: await blobs.put(pieces, keptLogName(lease.executionId)), truncated };
      }
      const chunks: Uint8Array[] = [];
      for await (const chunk of pieces) chunks.push(chunk);
      return { body: { inline: Buffer.concat(chunks) }, truncated };
    }

    /** A look that the end cuts off failed at nothing: all of it is read then. */
    function tell(thrown: unknown): void {
      if (!stopping.signal.aborted) options.onError(thrown);
    }

    const loop = (async () => {
      if (!launcher.capabilities.liveOutput) return;
      for (let silent = 0; ; silent += 1) {
        const isRunning = started.signal.aborted;
        const ticks = Math.min(2 ** silent, isRunning ? mostTicks : mostTicksWaiting);
        await pause(untilTick(options.pollMs * ticks), stopping.signal, ...(isRunning ? [] : [started.signal]));
        if (stopping.signal.aborted) return;
        if (await look().catch(tell)) silent = -1;
      }
    })();

    return {
      running: () => started.abort(),
      async stop() {
        stopping.abort();
        await loop;
        await writer?.close();
        writer = undefined;
      },
      async finish(signal) {
        const output = await launcher.collect(handle, signal);
        const accounting = output.readAccounting?.();
        await passResults(output, signal);
        const log = await keepLog(output, signal);
        await blobs.remove(name);
        return {
          log,
          ...optional('usage', output.usage),
          ...optional('settled', output.usage && settledUsage(output.usage)),
          ...optional('accounting', accounting),
        };
      },
    };
  }

  return { blobs, follow };
}

/** Ends between two pieces, with the signal's reason: there may be many, from far away. */
async function* unless<T>(signal: AbortSignal, pieces: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const piece of pieces) {
    signal.throwIfAborted();
    yield piece;
  }
}

/** All look at the same time, so that a launcher can read for many in one round. */
function untilTick(everyMs: number): number {
  return everyMs - (Date.now() % everyMs);
}

function settledUsage(usage: Usage): ExecutionUsage {
  return {
    cpuMs: usage.cpuMs,
    maxMemoryBytes: usage.maxMemoryBytes,
    ioBytes: usage.readBytes + usage.writtenBytes,
    runtimeMs: usage.finishedAt.getTime() - usage.startedAt.getTime(),
  };
}
