import { join, resolve } from 'node:path';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import { toldByRecord } from '../../src/launcher/end-record.ts';
import type {
  AttemptRef,
  ExecutionOutput,
  FindDead,
  LaunchEvent,
  Launcher,
  LauncherContext,
  LauncherKind,
  LaunchHandle,
} from '../../src/launcher/launcher.ts';
import { createLedger } from '../../src/launcher/ledger.ts';
import { outputLimitsOf } from '../../src/launcher/output-limits.ts';
import { createRunDirectories } from '../../src/launcher/run-directory.ts';
import { sweepAttempts } from '../../src/launcher/sweep-attempts.ts';
import { optional } from '../../src/lib/optional.ts';
import { createCancellation } from './cancel-attempt.ts';
import { createContainers } from './containers.ts';
import { DockerOptions } from './docker-options.ts';
import { createEngine } from './engine.ts';
import { createImageStore } from './image-store.ts';
import { findAttempt, launchAttempt } from './launch-attempt.ts';
import { probeEngine } from './probe.ts';
import { createReadOnlyTrees } from './read-only-trees.ts';
import { usageByEngine } from './usage-by-engine.ts';
import { watchAttempt } from './watch-attempt.ts';

/** Containers of a Docker or Podman engine on this host. */
export const dockerKind: LauncherKind<DockerOptions> = {
  kind: 'docker',
  options: DockerOptions,
  create: async (name, options, context) => createDockerLauncher(name, options, context),
};

function createDockerLauncher(name: string, options: DockerOptions, context: LauncherContext): Launcher {
  const { installationId, log, checkpoint, registries } = context;
  // Mounts are asked for by whole paths.
  const dataDir = resolve(context.dataDir);
  const engine = createEngine({ socket: options.socket, answerMs: options.answer_timeout });
  const containers = createContainers(engine, installationId);
  const readOnlyTrees = createReadOnlyTrees(engine);
  const images = createImageStore({
    engine,
    pullPolicy: options.pull,
    registries,
    installationId,
    dataDir: join(dataDir, 'images'),
    log,
  });
  const ledger = createLedger(join(dataDir, 'ledger'));
  const runs = createRunDirectories({ dir: join(dataDir, 'run') });
  const cancellation = createCancellation({ containers, ledger });
  /** Attempts whose end this process has seen, until their removal. */
  const ended = new Set<string>();

  async function remove(ref: AttemptRef): Promise<void> {
    await checkpoint('before-remove');
    await containers.remove(ref);
    await runs.remove(ref);
    cancellation.forget(ref);
    ended.delete(attemptKey(ref));
    await checkpoint('after-remove');
  }

  async function sweep(findDead: FindDead, signal: AbortSignal): Promise<readonly AttemptRef[]> {
    const list = async () => [...(await containers.list(signal)), ...(await runs.list())];
    const swept = await sweepAttempts({ list, findDead, remove, signal });
    await ledger.sweep(new Date(), findDead);
    await images.sweep(signal);
    return swept;
  }

  async function* watch(handle: LaunchHandle, signal: AbortSignal): AsyncGenerator<LaunchEvent> {
    for await (const event of watchAttempt({ containers, ledger, log }, handle, signal)) {
      if (event.kind !== 'queued' && event.kind !== 'running') ended.add(attemptKey(handle));
      yield event;
    }
  }

  /** Reading goes on without the engine; it is asked only for the times of what ended without a record. */
  async function collect(handle: LaunchHandle, signal: AbortSignal): Promise<ExecutionOutput> {
    const record = await ledger.readEnd(handle);
    const limits = outputLimitsOf(handle);
    const output = await runs.output(handle, limits);
    if (record) return { ...output, ...toldByRecord(record) };
    const found = ended.has(attemptKey(handle)) ? await containers.find(handle, signal) : undefined;
    const logTruncated = output.logBytes >= limits.logBytes;
    return { ...output, logTruncated, droppedResults: 0, ...optional('usage', found && usageByEngine(found)) };
  }

  return {
    name,
    capabilities: {
      queues: false,
      liveOutput: true,
      gpus: false,
      multiNode: false,
      asOwner: false,
      everywhere: false,
      nfsMounts: true,
    },
    probe: (signal) => probeEngine({ engine, installationId, dataDir, nativeDir: context.nativeDir }, signal),
    prepare: (image, signal) => images.prepare(image, signal),
    launch: (spec, signal) =>
      launchAttempt({ name, options, context, containers, readOnlyTrees, images, ledger, runs }, spec, signal),
    find: (attempt, signal) => findAttempt({ name, containers, ledger }, attempt, signal),
    watch,
    cancel: (ref, graceMs) => cancellation.cancel(ref, graceMs),
    collect,
    remove,
    sweep,
    async close() {
      cancellation.close();
      engine.close();
    },
  };
}
