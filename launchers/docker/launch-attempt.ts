/**
 * ledger entry → run directory → create → start. Each step may have been done before, by this process or by one that
 * died or froze; whatever is repeated here, the start marker lets the program start once.
 */

import { randomUUID } from 'node:crypto';
import { LauncherError, UnavailableError } from '../../src/errors.ts';
import type {
  AttemptRef,
  DecidedAttempt,
  LauncherContext,
  LaunchHandle,
  LaunchSpec,
} from '../../src/launcher/launcher.ts';
import type { Ledger } from '../../src/launcher/ledger.ts';
import { renderOutputLimits } from '../../src/launcher/output-limits.ts';
import type { RunDirectories } from '../../src/launcher/run-directory.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import type { Containers } from './containers.ts';
import type { DockerOptions } from './docker-options.ts';
import type { ImageStore } from './image-store.ts';
import { containerLabels } from './ownership.ts';
import { planContainer } from './plan-container.ts';
import { preparedImageName } from './prepared-image.ts';

export interface LaunchParts {
  readonly name: string;
  readonly options: DockerOptions;
  readonly context: LauncherContext;
  readonly containers: Containers;
  /** See `planContainer`. */
  readonly readOnlyTrees: (signal: AbortSignal) => Promise<boolean>;
  readonly images: ImageStore;
  readonly ledger: Ledger;
  readonly runs: RunDirectories;
}

export async function launchAttempt(parts: LaunchParts, spec: LaunchSpec, signal: AbortSignal): Promise<LaunchHandle> {
  if (spec.image.argv.length === 0) throw nothingToRun(spec);
  const { context, containers, ledger, runs } = parts;
  await ledger.open(spec, spec.notAfter);
  // Saves work only: between this look and the start, the marker itself decides.
  const decided = await findAttempt(parts, spec, signal);
  if (decided) return decided;
  await context.checkpoint('before-create');
  await runs.create(spec);
  const { id, isNew } = await createOrFind(parts, spec, signal);
  await context.checkpoint('after-create');
  await context.checkpoint('before-start');
  // An engine starts a container that has ended a second time when it is told to. The helper would refuse; its exit code
  // would take the place of the program's.
  const mayStart = isNew || (await isFree(ledger, spec));
  const started = mayStart ? await containers.start(spec, id, signal) : 'started';
  if (started === 'gone' && (await isFree(ledger, spec))) throw vanished(spec);
  await context.checkpoint('after-start');
  return handleOf(parts, spec, id);
}

/** @returns nothing while nobody has decided about its start. */
export async function findAttempt(
  parts: Pick<LaunchParts, 'name' | 'containers' | 'ledger'>,
  asked: DecidedAttempt,
  signal: AbortSignal,
): Promise<LaunchHandle | undefined> {
  if (await isFree(parts.ledger, asked)) return undefined;
  return handleOf(parts, asked, (await parts.containers.find(asked, signal))?.id ?? '');
}

/**
 * How often a name or an image may change under our hands before that counts as trouble. An engine takes the name of a
 * container some time before it shows the container, and frees it some time after: nearly 3 s of pauses in all.
 */
const maxTries = 12;
const triesPause = { firstMs: 25, mostMs: 400 };

async function createOrFind(
  parts: LaunchParts,
  spec: LaunchSpec,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const readOnlyTrees = await parts.readOnlyTrees(signal);
  for (let count = 0; count < maxTries; count += 1) {
    const created = await parts.containers.create(spec, planFor(parts, spec, readOnlyTrees), signal);
    if (typeof created === 'object') return { ...created, isNew: true };
    if (created === 'no-image') await prepareAgain(parts, spec, signal);
    const found = created === 'taken' ? await parts.containers.find(spec, signal) : undefined;
    if (found && !found.leaving) return { id: found.id, isNew: false };
    await pause(pauseMs(count, triesPause), signal);
    signal.throwIfAborted();
  }
  throw vanished(spec);
}

async function prepareAgain({ images }: LaunchParts, { image }: LaunchSpec, signal: AbortSignal): Promise<void> {
  images.forget(image);
  await images.prepare(image, signal);
}

function planFor({ name, options, context, ledger, runs }: LaunchParts, spec: LaunchSpec, readOnlyTrees: boolean) {
  const starter = randomUUID();
  return planContainer(spec, {
    image: preparedImageName(context.installationId, spec.image.digest),
    labels: containerLabels(spec, { installationId: context.installationId, launcher: name, starter }),
    starter,
    paths: {
      runDir: runs.pathOf(spec),
      ledgerEntry: ledger.entryPath(spec),
      nativeDir: context.nativeDir,
      engineSocket: options.socket,
    },
    network: options.network,
    readOnlyTrees,
  });
}

async function isFree(ledger: Ledger, ref: AttemptRef): Promise<boolean> {
  return (await ledger.readMarker(ref)).kind === 'free';
}

function handleOf({ name }: Pick<LaunchParts, 'name'>, spec: DecidedAttempt, nativeId: string): LaunchHandle {
  return {
    launcher: name,
    executionId: spec.executionId,
    attempt: spec.attempt,
    nativeId,
    version: 1,
    state: renderOutputLimits(spec.limits),
  };
}

function nothingToRun({ image }: LaunchSpec): LauncherError {
  const help = 'give it an ENTRYPOINT or a CMD';
  return new LauncherError('launcher.rejected', `Image "${image.name}" names no program to run: ${help}`);
}

function vanished(spec: LaunchSpec): UnavailableError {
  const what = `Attempt ${spec.attempt} of execution "${spec.executionId}" was not started`;
  return new UnavailableError(
    'launcher.unavailable',
    `${what}: its container was removed meanwhile; it is tried again`,
  );
}
