import { InvalidError, UnavailableError, UnknownOutcomeError } from '../../src/errors.ts';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { EndRecord } from '../../src/launcher/end-record.ts';
import { imageSourceKinds } from '../../src/launcher/image-source.ts';
import type {
  AttemptRef,
  DecidedAttempt,
  ExecutionOutput,
  FindDead,
  Launcher,
  LauncherContext,
  LauncherKind,
  LaunchHandle,
  LaunchSpec,
} from '../../src/launcher/launcher.ts';
import { outputLimitsOf } from '../../src/launcher/output-limits.ts';
import { packagePath } from '../../src/lib/package-root.ts';
import type { ApptainerPaths } from '../apptainer/apptainer-command.ts';
import { createClusterFiles } from '../apptainer/cluster-files.ts';
import { checkMounts } from '../apptainer/missing-mount.ts';
import type { RunScript } from '../apptainer/sif-build.ts';
import { atAccount } from '../host/account.ts';
import type { Host } from '../host/host.ts';
import { createHostPool } from '../host/host-pool.ts';
import { createOwners } from '../host/owners.ts';
import { isSame } from './attempt-jobs.ts';
import { createCancellation } from './cancel-attempt.ts';
import { checkResources } from './check-resources.ts';
import { mostElements } from './cluster-facts.ts';
import { collectOutput } from './collect-output.ts';
import { testSbatchCommand } from './commands/sbatch.ts';
import { createDesk, type Desk } from './desk.ts';
import { createEndHints } from './end-hints.ts';
import { runAsJob } from './job-build.ts';
import { followedBy, renderHandle } from './job-handle.ts';
import type { JobRecord } from './job-record.ts';
import { createClusterKnowledge } from './learn-cluster.ts';
import { planStart } from './plan-start.ts';
import { createPolling } from './polling.ts';
import { probeCluster } from './probe.ts';
import { createQueuePressure, pressureGroup } from './queue-pressure.ts';
import { createTemplates } from './render-script.ts';
import { fillJob, planJob } from './sbatch-options.ts';
import { SlurmOptions } from './slurm-options.ts';
import { createSubmissions, elementOf, jobNamePrefix, renderSubmission } from './submissions.ts';
import { sweepCluster } from './sweep-cluster.ts';
import { watchJob } from './watch-job.ts';

/** A job of a Slurm cluster per execution, in Apptainer, as the owner of the actor. */
export const slurmKind: LauncherKind<SlurmOptions> = {
  kind: 'slurm',
  options: SlurmOptions,
  create: async (name, options, context) => createSlurmLauncher(name, options, context),
};

function createSlurmLauncher(name: string, options: SlurmOptions, context: LauncherContext): Launcher {
  const { installationId, log, checkpoint } = context;
  const agentFiles = { node: process.execPath, script: packagePath('dist', 'abaco-agent.mjs') };
  const pool = createHostPool({ launcher: name, options, dataDir: context.dataDir, agentFiles, installationId });
  const templates = createTemplates(options.templates);
  const pressure = createQueuePressure({ firstMs: 2_000, mostMs: 60_000 });
  const closing = new AbortController();
  const knowledge = createClusterKnowledge({
    host: pool.service,
    everyMs: options.learn,
    log,
    closing: closing.signal,
  });
  const submissions = createSubmissions({
    installationId,
    burstMs: options.burst,
    pressure,
    templates,
    checkpoint,
  });
  const poller = createPolling(pool, options, {
    intervalMs: options.poll,
    lookUpEveryMs: 1_000,
    backoff: { firstMs: 1_000, mostMs: 60_000 },
    log,
  });
  const owners = createOwners({
    host: pool.service,
    directory: `${options.directory}/owners/${installationId}`,
    letGo: async (owner) => await pool.letGo(owner),
    log,
  });
  const files = createClusterFiles({
    ...context,
    places: { ...pool, directory: options.directory, asOwner: true },
    owners,
    isShared: options.become || options.keys_dir !== '',
    architecture: options.architecture,
    program: 'apptainer',
    engine: options.engine,
    builds: options.builds,
    ...(options.build_on === 'login' ? {} : { runOn: (host, owner) => buildAsJob(host, owner ?? options.user) }),
  });
  const desks = new Map<string, Desk>();
  const ends = createEndHints();
  const cancellation = createCancellation({ poller, log, signal: closing.signal });

  function deskOf({ owner }: AttemptRef): Desk {
    if (owner === undefined)
      throw new InvalidError('request.invalid', 'A job of the cluster needs to know whose it is');
    const known = desks.get(owner);
    if (known) return known;
    const desk = createDesk(owner, pool.of(owner), { work: pool.workOf(owner), keepMs: options.keep });
    desks.set(owner, desk);
    return desk;
  }

  function buildAsJob(host: Host, user: string): RunScript {
    const { partition, account, qos, build_time: timeMs, late: lateMs } = options;
    const time = String(Math.ceil(timeMs / 60_000));
    const wanted = { time, 'cpus-per-task': '2', mem: '2048M', partition, account, qos };
    return runAsJob({ host, poller, user, options: wanted, lateMs });
  }

  async function launch(spec: LaunchSpec, signal: AbortSignal): Promise<LaunchHandle> {
    attemptKey(spec);
    const desk = deskOf(spec);
    const job = planJob(spec, options);
    // What has started before is found, whoever the owner is by then.
    if ((await desk.ledger.readMarker(spec)).kind === 'free') await desk.account.check(spec.user);
    await owners.note(desk.owner);
    await desk.ledger.open(spec, spec.notAfter);
    if ((await desk.ledger.readMarker(spec)).kind !== 'free') return await foundHandle(desk, spec);
    const earlier = await findEarlier(desk, spec);
    if (earlier) return handleOf(desk, spec, earlier.id);
    pressure.check(pressureGroup(desk.owner, job.options));
    await checkMounts(desk.host, spec);
    await desk.runs.create(spec);
    if (spec.keepScratch === true) await desk.kept.mark(spec);
    await checkpoint('before-start');
    const paths = pathsOf(desk, spec, await files.nativeDirectory(desk.owner));
    const plan = planStart(spec, paths, job, options);
    const kind = {
      // The digest stands for the actor's revision.
      key: JSON.stringify([desk.owner, spec.actorId, spec.image.digest, job.options]),
      owner: desk.owner,
      host: desk.host,
      ledger: desk.ledger,
      directory: desk.jobs,
      options: job.options,
      most: Math.min(options.max_array, mostElements(knowledge.facts(), desk.owner, job.options)),
    };
    try {
      const { jobId } = await submissions.submit(kind, { ref: spec, plan }, signal);
      await checkpoint('after-start');
      return handleOf(desk, spec, jobId, true);
    } catch (thrown) {
      if (!(thrown instanceof UnknownOutcomeError)) throw thrown;
      const message = `${thrown.message}; it is looked for by its name, and then tried again`;
      throw new UnavailableError('launcher.unavailable', message, { cause: thrown });
    }
  }

  async function find(asked: DecidedAttempt): Promise<LaunchHandle | undefined> {
    return await atDesk(asked, async (desk) =>
      (await desk.ledger.readMarker(asked)).kind === 'free' ? undefined : await foundHandle(desk, asked),
    );
  }

  function pathsOf(desk: Desk, spec: LaunchSpec, nativeDir: string): ApptainerPaths {
    const sif = files.pathOf(desk.owner, spec.image);
    return { sif, runDir: desk.runs.pathOf(spec), ledgerEntry: desk.ledger.entryPath(spec), nativeDir };
  }

  /** The job of an earlier launch whose answer was lost; the marker decides, this only saves a second job. */
  async function findEarlier(desk: Desk, ref: AttemptRef): Promise<JobRecord | undefined> {
    const submission = await desk.ledger.readSubmission(ref);
    if (submission === undefined || submission === '') return undefined;
    const jobs = await poller.findByName(jobNamePrefix + submission, desk.owner);
    const refs = jobs.length === 0 ? [] : await desk.readIndex(submission);
    return jobs.find((job) => isSame(refs[elementOf(job.id)], ref));
  }

  function handleOf(desk: Desk, attempt: DecidedAttempt, nativeId: string, isNew = false): LaunchHandle {
    return renderHandle(attempt, { launcher: name, owner: desk.owner, nativeId, isNew }, new Date());
  }

  async function foundHandle(desk: Desk, attempt: DecidedAttempt): Promise<LaunchHandle> {
    const earlier = await findEarlier(desk, attempt).catch(() => undefined);
    return handleOf(desk, attempt, earlier?.id ?? '');
  }

  const atDesk = async <T>(ref: AttemptRef, action: (desk: Desk) => Promise<T>): Promise<T | undefined> =>
    await atAccount({ launcher: name, owner: ref.owner }, () => deskOf(ref), action);

  async function collect(handle: LaunchHandle): Promise<ExecutionOutput> {
    const desk = deskOf(handle);
    return await collectOutput({
      desk,
      ref: handle,
      job: followedBy(handle, desk.owner),
      poller,
      onEnd: () => ends.tell(handle),
      limits: outputLimitsOf(handle),
      accountingMs: options.accounting,
    });
  }

  /** What has ended ends its job by itself; Slurm is asked only about what may still run, or waits for nothing. */
  async function removeAt(desk: Desk, ref: AttemptRef): Promise<void> {
    owners.expect(desk.owner);
    const { kind } = await desk.ledger.readMarker(ref);
    const hasEnded = kind === 'started' && (await desk.ledger.readEnd(ref)) !== undefined;
    if (hasEnded) cancellation.forget(ref);
    else await cancellation.endJobs(desk, ref);
    pressure.relax(desk.owner);
    await desk.kept.remove(ref, closing.signal);
    desk.reader.forget(ref);
    await checkpoint('after-remove');
  }

  async function remove(ref: AttemptRef): Promise<void> {
    await checkpoint('before-remove');
    await atDesk(ref, async (desk) => await removeAt(desk, ref));
  }

  async function sweep(findDead: FindDead, signal: AbortSignal) {
    const deskOfOwner = (owner: string): Desk => deskOf({ owner, ...nobody });
    return await sweepCluster({ owners, poller, deskOf: deskOfOwner, findDead, remove, signal });
  }

  const imageSources = imageSourceKinds.filter((source) => source !== 'engine' || options.engine !== '');

  return {
    name,
    capabilities: {
      queues: true,
      liveOutput: true,
      gpus: options.gpus !== 'none',
      multiNode: true,
      asOwner: true,
      everywhere: true,
      imageSources,
    },
    async probe(signal) {
      const health = await probeCluster(pool, options, signal);
      if (health.ok) await knowledge.learn(signal);
      return health;
    },
    check({ owner, ...asked }) {
      const facts = knowledge.facts();
      return facts && checkResources(fillJob(asked, options), facts, owner);
    },
    dryRun: async (spec, signal) => {
      const desk = deskOf(spec);
      const job = planJob(spec, options);
      const plan = planStart(spec, pathsOf(desk, spec, `${options.directory}/native`), job, options);
      const parts = renderSubmission({ templates, installationId, directory: desk.jobs, job, plan });
      return { files: parts, ...(await desk.host.run(testSbatchCommand(parts['job.sh'] ?? ''), signal)) };
    },
    prepare: async (image, signal, onProgress) => await files.prepare(image, signal, onProgress),
    images: files.images,
    launch,
    find,
    watch: (handle, signal) => {
      const desk = deskOf(handle);
      const parts = {
        poller,
        ledger: desk.ledger,
        log,
        listen: (hint: () => void) => ends.listen(handle, hint),
        lateMs: options.late,
        accountingMs: options.accounting,
        isWhole: async (record: EndRecord) => await desk.reader.isWhole(handle, outputLimitsOf(handle), record),
        lastWords: async () => await desk.readJobOutput(handle),
      };
      return watchJob(parts, handle, followedBy(handle, desk.owner), signal);
    },
    cancel: async (ref, graceMs) =>
      (await atDesk(ref, async (desk) => await cancellation.cancel(desk, ref, graceMs))) ?? 'never-started',
    collect,
    remove,
    sweep,
    async close() {
      closing.abort(new Error('the service stops'));
      poller.close();
      await pool.close();
    },
  };
}

/** Of a desk only the owner counts. */
const nobody = { executionId: 'none', attempt: 1 } as const;
