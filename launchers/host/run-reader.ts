/**
 * Reads what attempts write, from where it stopped: a look brings what is new of log and results in one round, also for
 * many attempts at once where the host reads together (`read-together.ts`). What a reader does not take is read again.
 */

import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import type { OutputLimits } from '../../src/launcher/output-limits.ts';
import { parseResultFrames, resultFrameBytes } from '../../src/launcher/result-frames.ts';
import { files, type WrittenOutput } from '../../src/launcher/run-directory.ts';
import type { FilePart, Host } from './host.ts';

export interface RunReader {
  /** What the attempt has written so far, within its limits; empty where the directory is gone. */
  look(ref: AttemptRef, limits: OutputLimits): Promise<WrittenOutput>;
  /** Whether all that its end record tells of can be read here. */
  isWhole(ref: AttemptRef, limits: OutputLimits, told: WholeOutput): Promise<boolean>;
  /** Keeps nothing of it in memory any more. */
  forget(ref: AttemptRef): void;
}

export interface WholeOutput {
  readonly logBytes: number;
  readonly results: number;
}

/** Wanted at a look, of log and of results: what a program seldom writes more of between two looks. */
const lookBytes = 64 * 1024;
/** Read at a time where there is more. */
const chunkBytes = 1024 * 1024;

/** Of which a reader may be behind what was read; one that is further behind begins anew. */
const mostPlaces = 128;

/** How far the results were read: so many of so many frames, up to this byte. */
interface Place {
  readonly results: number;
  readonly frames: number;
  readonly offset: number;
}

interface Progress {
  logOffset: number;
  /** After each result of the last reading, so that a reader may repeat what it could not keep. */
  places: readonly Place[];
}

const beginning: Place = { results: 0, frames: 0, offset: 0 };

/** @param pathOf - the run directory of an attempt. */
export function createRunReader(host: Host, pathOf: (ref: AttemptRef) => string): RunReader {
  const progress = new Map<string, Progress>();

  function progressOf(ref: AttemptRef): Progress {
    const key = attemptKey(ref);
    const known = progress.get(key) ?? { logOffset: 0, places: [beginning] };
    progress.set(key, known);
    return known;
  }

  /** A file from `offset` on; what the look brought of it comes first. */
  async function* readOn(path: string, offset: number, end: number, ready: Ready) {
    let at = offset;
    if (ready.offset === offset) {
      const bytes = ready.part?.bytes.subarray(0, Math.max(0, end - offset)) ?? new Uint8Array();
      if (bytes.byteLength > 0) yield bytes;
      if (bytes.byteLength < lookBytes) return;
      at += bytes.byteLength;
    }
    while (at < end) {
      const length = Math.min(chunkBytes, end - at);
      const [part] = await host.readMany([{ path, offset: at, length }]);
      if (!part || part.bytes.byteLength === 0) return;
      yield part.bytes;
      at += part.bytes.byteLength;
    }
  }

  async function* readResults({ path, known, limits, ready }: ResultsFile, from: number) {
    const start = known.places.findLast(({ results }) => results <= from) ?? beginning;
    let place = start;
    let places: readonly Place[] = [start];
    for await (const frame of parseResultFrames(readOn(path, start.offset, limits.resultTotalBytes, ready))) {
      if (place.frames === limits.resultCount) return;
      place = {
        results: place.results + (frame.kind === 'result' ? 1 : 0),
        frames: place.frames + 1,
        offset: place.offset + resultFrameBytes(frame),
      };
      places = [...places.slice(-mostPlaces), place];
      known.places = places;
      if (frame.kind === 'result' && place.results > from) yield frame.bytes;
    }
  }

  async function look(ref: AttemptRef, limits: OutputLimits): Promise<WrittenOutput> {
    const known = progressOf(ref);
    const [logPath, resultsPath] = [`${pathOf(ref)}/${files.log}`, `${pathOf(ref)}/${files.results}`];
    const logOffset = known.logOffset;
    const place = known.places.at(-1) ?? beginning;
    const [log, results] = await host.readMany([
      { path: logPath, offset: logOffset, length: lookBytes },
      { path: resultsPath, offset: place.offset, length: lookBytes },
    ]);
    const logBytes = Math.min(log?.size ?? 0, limits.logBytes);
    const ready: Ready = { offset: place.offset, part: results };
    return {
      logBytes,
      async *readLog(offset) {
        yield* readOn(logPath, offset, logBytes, { offset: logOffset, part: log });
        known.logOffset = logBytes;
      },
      readResults: (from) => readResults({ path: resultsPath, known, limits, ready }, from),
    };
  }

  return {
    look,
    async isWhole(ref, limits, told) {
      const output = await look(ref, limits);
      if (output.logBytes < told.logBytes) return false;
      if (told.results === 0) return true;
      const known = progressOf(ref);
      const before = known.places.at(-1) ?? beginning;
      let { results } = before;
      for await (const _ of output.readResults(results)) results += 1;
      // They are counted here, and read by whoever keeps them.
      known.places = [before];
      return results >= told.results;
    },
    forget: (ref) => void progress.delete(attemptKey(ref)),
  };
}

interface Ready {
  readonly offset: number;
  readonly part: FilePart | undefined;
}

interface ResultsFile {
  readonly path: string;
  readonly known: Progress;
  readonly limits: OutputLimits;
  readonly ready: Ready;
}
