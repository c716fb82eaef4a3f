/** The run directories of a user on a shared file system, through a host; as `src/launcher/run-directory.ts` has them. */

import { NotFoundError } from '../../src/errors.ts';
import { attemptKey, parseAttemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef, LaunchSpec } from '../../src/launcher/launcher.ts';
import type { OutputLimits } from '../../src/launcher/output-limits.ts';
import { readResults } from '../../src/launcher/result-frames.ts';
import { files, renderEnvironment, type WrittenOutput } from '../../src/launcher/run-directory.ts';
import type { Host } from './host.ts';

export interface HostRuns {
  pathOf(ref: AttemptRef): string;
  /** Makes it with all the program is given; one that is complete is kept as it is. */
  create(spec: LaunchSpec): Promise<void>;
  /** What the attempt has written so far, within its limits; empty where the directory is gone. */
  output(ref: AttemptRef, limits: OutputLimits): Promise<WrittenOutput>;
  remove(ref: AttemptRef): Promise<void>;
  list(): Promise<readonly AttemptRef[]>;
}

export function createHostRuns(host: Host, dir: string): HostRuns {
  const pathOf = (ref: AttemptRef): string => `${dir}/${attemptKey(ref)}`;

  /** Of a file that the program may have taken away, or put something else in its place, nothing. */
  async function* read(ref: AttemptRef, file: string, offset: number, end: number) {
    if (offset >= end) return;
    try {
      yield* host.get(`${pathOf(ref)}/${file}`, { offset, length: end - offset });
    } catch (thrown) {
      if (!(thrown instanceof NotFoundError)) throw thrown;
    }
  }

  return {
    pathOf,
    async create(spec) {
      const path = pathOf(spec);
      if ((await host.list(path))?.includes(files.environment) === true) return;
      await host.makeDirectory(`${path}/scratch`, 0o700);
      // For whoever asks which images are in use.
      await host.put(`${path}/image`, Buffer.from(spec.image.digest));
      if (spec.binaryMessage)
        await host.put(`${path}/${files.binaryMessage}`, spec.binaryMessage.open(), { mode: 0o400 });
      // Last, as it says that the rest is complete.
      await host.put(`${path}/${files.environment}`, renderEnvironment(spec.environment));
    },
    async output(ref, limits) {
      const [log] = await host.readMany([{ path: `${pathOf(ref)}/${files.log}`, offset: 0, length: 0 }]);
      const logBytes = Math.min(log?.size ?? 0, limits.logBytes);
      return {
        logBytes,
        readLog: (offset) => read(ref, files.log, offset, logBytes),
        readResults: (from) =>
          readResults(read(ref, files.results, 0, limits.resultTotalBytes), from, limits.resultCount),
      };
    },
    remove: async (ref) => await host.removeTree(pathOf(ref)),
    async list() {
      return ((await host.list(dir)) ?? []).map(parseAttemptKey).filter((ref) => ref !== undefined);
    },
  };
}
