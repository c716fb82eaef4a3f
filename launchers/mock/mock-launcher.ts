import { hostname } from 'node:os';
import { join } from 'node:path';
import { decideEnd, type Observation } from '../../src/launcher/decide-end.ts';
import { toldByRecord } from '../../src/launcher/end-record.ts';
import type {
  AttemptRef,
  DecidedAttempt,
  ExecutionOutput,
  FindDead,
  LaunchEvent,
  Launcher,
  LauncherContext,
  LauncherKind,
  LaunchHandle,
  LaunchSpec,
} from '../../src/launcher/launcher.ts';
import { createLedger } from '../../src/launcher/ledger.ts';
import { outputLimitsOf, renderOutputLimits } from '../../src/launcher/output-limits.ts';
import { createRunDirectories } from '../../src/launcher/run-directory.ts';
import { sweepAttempts } from '../../src/launcher/sweep-attempts.ts';
import { pause } from '../../src/lib/backoff.ts';
import { optional } from '../../src/lib/optional.ts';
import { createMockEngine } from './mock-engine.ts';
import { prepareMockImage } from './mock-images.ts';
import { MockOptions } from './mock-options.ts';
import { parseMockProgram } from './mock-program.ts';

/** Runs no programs: development, demos and tests of what stands above a launcher. */
export const mockKind: LauncherKind<MockOptions> = {
  kind: 'mock',
  options: MockOptions,
  create: async (name, options, context) => createMockLauncher(name, options, context),
};

/** Nobody tells when a mock program ends, so it is looked at so often. */
const lookEveryMs = 10;

function createMockLauncher(name: string, options: MockOptions, context: LauncherContext): Launcher {
  const { dataDir, installationId, checkpoint } = context;
  const engine = createMockEngine({ dir: options.engine || join(dataDir, 'engine'), installationId });
  const ledger = createLedger(join(dataDir, 'ledger'));
  const runs = createRunDirectories({ dir: join(dataDir, 'run') });

  async function launch(spec: LaunchSpec): Promise<LaunchHandle> {
    await ledger.open(spec, spec.notAfter);
    const decided = await find(spec);
    if (decided) return decided;
    await checkpoint('before-create');
    const runDir = await runs.create(spec);
    const program = parseMockProgram(spec.environment, { runMs: options.run });
    const notAfterMs = spec.notAfter.getTime();
    await engine.create(spec, {
      program,
      limits: spec.limits,
      runDir,
      ledgerEntry: ledger.entryPath(spec),
      notAfterMs,
    });
    await checkpoint('after-create');
    await checkpoint('before-start');
    await engine.start(spec);
    await checkpoint('after-start');
    return handleOf(spec);
  }

  async function find(asked: DecidedAttempt): Promise<LaunchHandle | undefined> {
    return (await ledger.readMarker(asked)).kind === 'free' ? undefined : handleOf(asked);
  }

  function handleOf({ executionId, attempt, limits }: DecidedAttempt): LaunchHandle {
    const state = renderOutputLimits(limits);
    return { launcher: name, executionId, attempt, nativeId: `mock-${executionId}-${attempt}`, version: 1, state };
  }

  async function look(ref: AttemptRef): Promise<Observation & { readonly startedAt: Date | undefined }> {
    const found = await engine.find(ref);
    const marker = await ledger.readMarker(ref);
    return {
      container: found?.state ?? { kind: 'gone' },
      isOwner: marker.kind === 'started' && marker.owner === found?.starter,
      marker,
      ...optional('record', await ledger.readEnd(ref)),
      cancelled: await ledger.wasCancelled(ref),
      now: new Date(),
      startedAt: found?.startedAt,
    };
  }

  async function* watch(handle: LaunchHandle, signal: AbortSignal): AsyncGenerator<LaunchEvent> {
    let isRunning = false;
    while (!signal.aborted) {
      const seen = await look(handle);
      if (!isRunning && seen.isOwner && seen.record?.reason !== 'exec-failed') {
        isRunning = true;
        yield { kind: 'running', at: seen.startedAt ?? seen.now, node: hostname() };
        continue;
      }
      const decision = decideEnd(seen);
      if (decision.kind === 'end') return yield decision.end;
      if (decision.kind === 'close' && (await ledger.close(handle, 'lost')) === 'closed') {
        return yield { kind: 'lost', at: seen.now, started: false, detail: decision.detail };
      }
      await pause(lookEveryMs, signal);
    }
  }

  async function cancel(ref: AttemptRef): Promise<'never-started' | 'stopping'> {
    if ((await ledger.close(ref, 'cancelled')) === 'closed') return 'never-started';
    await ledger.noteCancel(ref);
    await engine.stop(ref);
    return 'stopping';
  }

  async function collect(handle: LaunchHandle): Promise<ExecutionOutput> {
    await engine.find(handle);
    const record = await ledger.readEnd(handle);
    const output = await runs.output(handle, outputLimitsOf(handle));
    return { ...output, ...(record ? toldByRecord(record) : { logTruncated: false, droppedResults: 0 }) };
  }

  async function remove(ref: AttemptRef): Promise<void> {
    await checkpoint('before-remove');
    await engine.remove(ref);
    await runs.remove(ref);
    await checkpoint('after-remove');
  }

  async function sweep(findDead: FindDead, signal: AbortSignal): Promise<readonly AttemptRef[]> {
    const list = async () => [...(await engine.list()), ...(await runs.list())];
    const swept = await sweepAttempts({ list, findDead, remove, signal });
    await ledger.sweep(new Date(), findDead);
    return swept;
  }

  return {
    name,
    capabilities: { queues: false, liveOutput: true, gpus: false, multiNode: false, asOwner: false, everywhere: false },
    probe: async () => ({ ok: true, detail: 'Mock programs only pretend to run', checks: [] }),
    prepare: async (image) => prepareMockImage(image),
    launch,
    find,
    watch,
    cancel,
    collect,
    remove,
    sweep,
    close: async () => {},
  };
}
