import { InvalidError, LauncherError, UnavailableError, UnknownOutcomeError } from '../../src/errors.ts';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import { limitProblem } from '../../src/launcher/check-capabilities.ts';
import { toldByRecord } from '../../src/launcher/end-record.ts';
import { imageSourceKinds } from '../../src/launcher/image-source.ts';
import type {
  AttemptRef,
  DecidedAttempt,
  ExecutionOutput,
  FindDead,
  Launcher,
  LauncherContext,
  LauncherHealth,
  LauncherKind,
  LaunchHandle,
  LaunchSpec,
} from '../../src/launcher/launcher.ts';
import { outputLimitsOf, renderOutputLimits } from '../../src/launcher/output-limits.ts';
import { optional } from '../../src/lib/optional.ts';
import { packagePath } from '../../src/lib/package-root.ts';
import { atAccount } from '../host/account.ts';
import { createOwners } from '../host/owners.ts';
import { planApptainer } from './apptainer-command.ts';
import { ApptainerOptions } from './apptainer-options.ts';
import { createCancellation } from './cancel-attempt.ts';
import { createClusterFiles } from './cluster-files.ts';
import { createDesk, type Desk } from './desk.ts';
import { checkMounts } from './missing-mount.ts';
import { createPlaces } from './places.ts';
import { probePlace } from './probe.ts';
import { parseStarter, presenceOf, renderStarter, type Starter } from './process-table.ts';
import { renderStartScript, startCommand, startFiles } from './start-script.ts';
import { sweepDesk } from './sweep-desk.ts';
import { watchProcess } from './watch-process.ts';

/** A program in Apptainer on one machine, which no scheduler stands before: this one, or one behind SSH. */
export const apptainerKind: LauncherKind<ApptainerOptions> = {
  kind: 'apptainer',
  options: ApptainerOptions,
  create: async (name, options, context) => createApptainerLauncher(name, options, context),
};

/** Of whom programs are where all run as one. */
const everybody = 'service';

function createApptainerLauncher(name: string, options: ApptainerOptions, context: LauncherContext): Launcher {
  const { installationId, log, checkpoint, dataDir } = context;
  const agentFiles = { node: process.execPath, script: packagePath('dist', 'abaco-agent.mjs') };
  const places = createPlaces({ launcher: name, options, agentFiles, installationId, dataDir });
  const owners = createOwners({
    host: places.service,
    directory: `${places.directory}/owners/${installationId}`,
    letGo: async (owner) => await places.letGo(owner),
    log,
  });
  const files = createClusterFiles({
    ...context,
    places,
    owners,
    isShared: options.become || options.keys_dir !== '' || options.host === '',
    architecture: options.architecture,
    program: options.program,
    engine: options.engine,
    builds: options.builds,
  });
  const desks = new Map<string, Desk>();
  const closing = new AbortController();
  const cancellation = createCancellation({ log, signal: closing.signal });
  /** Unknown until a probe has reached the host. */
  let canLimit: boolean | undefined;

  function deskOf(ref: Pick<AttemptRef, 'owner'>): Desk {
    const owner = places.asOwner ? ref.owner : everybody;
    if (owner === undefined) throw new InvalidError('request.invalid', 'A program needs to know whose it is');
    const known = desks.get(owner);
    if (known) return known;
    const [host, work] = [places.of(owner), places.workOf(owner)];
    const desk = createDesk({ owner, host, work, pollMs: options.poll, leaving: closing.signal });
    desks.set(owner, desk);
    return desk;
  }

  /** ledger entry → run directory → start. Whatever is repeated here, the start marker lets the program start once. */
  async function launch(spec: LaunchSpec, signal: AbortSignal): Promise<LaunchHandle> {
    attemptKey(spec);
    if (spec.image.argv.length === 0) throw nothingToRun(spec);
    const desk = deskOf(spec);
    // What has started before is found, whoever the owner is by then.
    const isNew = places.asOwner && (await desk.ledger.readMarker(spec)).kind === 'free';
    if (isNew) await desk.account.check(spec.user);
    await owners.note(desk.owner);
    await desk.ledger.open(spec, spec.notAfter);
    if ((await desk.ledger.readMarker(spec)).kind !== 'free') return handleOf(spec, undefined);
    const earlier = await findEarlier(desk, spec);
    if (earlier) return handleOf(spec, earlier);
    await checkMounts(desk.host, spec);
    await checkLimits(spec, signal);
    await checkpoint('before-create');
    await desk.runs.create(spec);
    await writeScript(desk, spec);
    await checkpoint('after-create');
    signal.throwIfAborted();
    await checkpoint('before-start');
    const starter = await start(desk, spec);
    await checkpoint('after-start');
    return handleOf(spec, starter);
  }

  async function probe(signal: AbortSignal): Promise<LauncherHealth> {
    const asked = { places, options, nativeDir: context.nativeDir, knownLimits: canLimit, signal };
    const { health, limits } = await probePlace(asked);
    canLimit = limits ?? canLimit;
    return health;
  }

  /** Finds out first whether there are any, so that what an actor asks for is never left away unseen. */
  async function checkLimits({ limits, ownLimits = [] }: LaunchSpec, signal: AbortSignal): Promise<void> {
    const { memoryBytes, nanoCpus, pids } = limits;
    if (memoryBytes === undefined && nanoCpus === undefined && pids === undefined) return;
    const health = canLimit === undefined ? await probe(signal) : undefined;
    if (canLimit === undefined) {
      const why = health?.checks.find((check) => check.name === 'limits') ?? health;
      const message = `Launcher "${name}" cannot say yet whether programs can be limited there: ${why?.detail ?? ''}`;
      throw new UnavailableError('launcher.unavailable', message);
    }
    const asked = Object.fromEntries(ownLimits.map((attribute) => [attribute, true]));
    const problem = limitProblem(asked, { name, resourceLimits: canLimit });
    if (problem !== undefined) throw new InvalidError('launcher.rejected', `Limits cannot be held: ${problem}`);
  }

  async function find(asked: DecidedAttempt): Promise<LaunchHandle | undefined> {
    return await atDesk(asked, async (desk) =>
      (await desk.ledger.readMarker(asked)).kind === 'free' ? undefined : handleOf(asked, undefined),
    );
  }

  async function writeScript(desk: Desk, spec: LaunchSpec): Promise<void> {
    const runDir = desk.runs.pathOf(spec);
    const plan = planApptainer(
      spec,
      {
        sif: files.pathOf(desk.owner, spec.image),
        runDir,
        ledgerEntry: desk.ledger.entryPath(spec),
        nativeDir: await files.nativeDirectory(desk.owner),
      },
      {
        program: options.program,
        limits: canLimit === true,
        ...(options.gpus === 'none' ? {} : { gpus: options.gpus }),
      },
    );
    const script = renderStartScript({ runDir, starters: desk.ledger.startersPath(spec), ...plan });
    await desk.host.put(`${runDir}/${startFiles.script}`, Buffer.from(script), { mode: 0o700 });
  }

  async function start(desk: Desk, spec: LaunchSpec): Promise<Starter> {
    try {
      // Never cut off by us: what has begun to start starts.
      return await desk.host.run(startCommand(desk.runs.pathOf(spec)), new AbortController().signal);
    } catch (thrown) {
      if (!(thrown instanceof UnknownOutcomeError)) throw thrown;
      const message = `${thrown.message}; it is looked for, and then tried again`;
      throw new UnavailableError('launcher.unavailable', message, { cause: thrown });
    }
  }

  /** What an earlier launch has started and is still there; the marker decides, this only saves a second start. */
  async function findEarlier(desk: Desk, ref: AttemptRef): Promise<Starter | undefined> {
    const starters = await desk.startersOf(ref);
    if (starters.length === 0) return undefined;
    const table = await desk.processes.now();
    return starters.findLast((starter) => presenceOf(starter, table) !== 'gone');
  }

  function handleOf(spec: DecidedAttempt, starter: Starter | undefined): LaunchHandle {
    return {
      launcher: name,
      executionId: spec.executionId,
      attempt: spec.attempt,
      ...optional('owner', spec.owner),
      nativeId: starter === undefined ? '' : renderStarter(starter),
      version: 1,
      state: {
        ...renderOutputLimits(spec.limits),
        ...(canLimit === true ? optional('memoryBytes', spec.limits.memoryBytes) : {}),
      },
    };
  }

  const atDesk = async <T>(ref: AttemptRef, action: (desk: Desk) => Promise<T>): Promise<T | undefined> =>
    await atAccount({ launcher: name, owner: places.asOwner ? ref.owner : undefined }, () => deskOf(ref), action);

  async function collect(handle: LaunchHandle): Promise<ExecutionOutput> {
    const desk = deskOf(handle);
    const record = await desk.ledger.readEnd(handle);
    const limits = outputLimitsOf(handle);
    const output = await desk.runs.output(handle, limits);
    if (record) return { ...output, ...toldByRecord(record) };
    return { ...output, logTruncated: output.logBytes >= limits.logBytes, droppedResults: 0 };
  }

  async function remove(ref: AttemptRef): Promise<void> {
    await checkpoint('before-remove');
    await atDesk(ref, async (desk) => {
      owners.expect(desk.owner);
      await cancellation.endProcesses(desk, ref);
      await desk.runs.remove(ref);
      await checkpoint('after-remove');
    });
  }

  async function sweep(findDead: FindDead, signal: AbortSignal) {
    const removed: AttemptRef[] = [];
    for (const owner of await owners.due()) {
      signal.throwIfAborted();
      const whose = places.asOwner ? owner : undefined;
      const look = async () => await sweepDesk({ desk: deskOf({ owner }), owner: whose, findDead, remove, signal });
      removed.push(...(await owners.look(owner, signal, look)));
    }
    return removed;
  }

  return {
    name,
    get capabilities() {
      return {
        queues: false,
        liveOutput: true,
        gpus: options.gpus !== 'none',
        multiNode: false,
        asOwner: places.asOwner,
        everywhere: options.host !== '',
        resourceLimits: canLimit,
        imageSources: imageSourceKinds.filter((kind) => kind !== 'engine' || options.engine !== ''),
      };
    },
    probe,
    prepare: async (image, signal, onProgress) => await files.prepare(image, signal, onProgress),
    images: files.images,
    launch,
    find,
    watch(handle, signal) {
      const desk = deskOf(handle);
      const parts = {
        host: desk.host,
        ledger: desk.ledger,
        processes: desk.processes,
        log,
        pollMs: options.poll,
        noted: async () => (await desk.startersOf(handle)).at(-1),
        lastWords: async () => await desk.startOutput(handle),
      };
      const memory = handle.state['memoryBytes'];
      const memoryBytes = typeof memory === 'number' ? memory : undefined;
      return watchProcess(parts, { ...handle, starter: parseStarter(handle.nativeId), memoryBytes }, signal);
    },
    cancel: async (ref, graceMs) =>
      (await atDesk(ref, async (desk) => await cancellation.cancel(desk, ref, graceMs))) ?? 'never-started',
    collect,
    remove,
    sweep,
    async close() {
      closing.abort(new Error('the service stops'));
      await places.close();
    },
  };
}

function nothingToRun({ image }: LaunchSpec): LauncherError {
  const help = 'give it an ENTRYPOINT or a CMD';
  return new LauncherError('launcher.rejected', `Image "${image.name}" names no program to run: ${help}`);
}
