/** Builds images as jobs, where a login node is no place for work: the script, and waiting for its exit code. */

import { LauncherError, UnavailableError, UnknownOutcomeError } from '../../src/errors.ts';
import { pause } from '../../src/lib/backoff.ts';
import { shellQuote } from '../../src/lib/shell.ts';
import type { RunScript } from '../apptainer/sif-build.ts';
import type { Host } from '../host/host.ts';
import { sbatchCommand } from './commands/sbatch.ts';
import { cancelCommand } from './commands/scancel.ts';
import type { JobPoller, JobView } from './job-poller.ts';
import { causeOf, phaseOf, type SlurmCause } from './job-state.ts';
import { createWaitTeller } from './tell-wait.ts';

export interface JobBuildOptions {
  readonly host: Host;
  readonly poller: Pick<JobPoller, 'follow'>;
  /** Whose job it is. */
  readonly user: string;
  /** Checked values of options of sbatch; empty ones are left away. */
  readonly options: Readonly<Record<string, string>>;
  /** How long the shared file system may show late what the job wrote. */
  readonly lateMs: number;
}

const lookMs = 1_000;

/** When Slurm was first seen to be done with a job, and why. */
interface JobEnd {
  readonly atMs: number;
  readonly cause: SlurmCause | undefined;
}

/** While it waits nothing limits it, and from its start on the time limit of the job does. No job is left behind. */
export function runAsJob({ host, poller, user, options, lateMs }: JobBuildOptions): RunScript {
  return async (script, signal, onWait) => {
    const exitFile = `${script}.exit`;
    await host.put(`${script}.job`, Buffer.from(renderBuildJob(script, exitFile, options)), { mode: 0o700 });
    const id = String(await host.run(sbatchCommand(`${script}.job`), signal));
    const left = new AbortController();
    const either = AbortSignal.any([signal, left.signal]);
    const waits = createWaitTeller();
    let end: JobEnd | undefined;
    const following = (async () => {
      for await (const view of poller.follow({ id, user, since: new Date() }, either)) {
        // Once it runs, its log speaks.
        const isRunning = view.kind === 'job' && phaseOf(view.job) === 'running';
        const wait = isRunning ? undefined : waits.tell(view, new Date());
        if (wait) onWait(`job ${id}: ${wait.reason}`);
        end = endOf(view, end) ?? end;
      }
    })().catch(() => undefined);
    let exitCode: number | undefined;
    try {
      while (!signal.aborted) {
        // Slurm's state only says when to stop waiting: what could not be read by then is read once it can be.
        const isOver = end !== undefined && Date.now() - end.atMs > lateMs + lookMs;
        const read = await readExitCode(host, exitFile);
        if (typeof read === 'number') return (exitCode = read);
        if (read === 'none' && end && isOver) throw withoutExitCode(id, end, options);
        await pause(lookMs, signal);
      }
      throw signal.reason;
    } finally {
      left.abort();
      await following;
      if (exitCode === undefined)
        await host.run(cancelCommand([id]), new AbortController().signal).catch(() => undefined);
    }
  };
}

/** Its cause may become known later than its end. */
function endOf(view: JobView, before: JobEnd | undefined): JobEnd | undefined {
  const atMs = before?.atMs ?? Date.now();
  if (view.kind === 'gone') return { atMs, cause: before?.cause };
  if (view.kind !== 'job' || phaseOf(view.job) !== 'ended') return undefined;
  return { atMs, cause: causeOf(view.job) };
}

function withoutExitCode(id: string, { cause }: JobEnd, { time = '' }: JobBuildOptions['options']): Error {
  const job = `Job ${id}, which built an image,`;
  if (cause === 'time-limit') {
    const help = 'an operator can give such jobs more ("build_time"); then update the actor';
    return new LauncherError('image.invalid', `${job} took longer than its time limit of ${time} min: ${help}`);
  }
  const message = `${job} ended without saying how; see it with "sacct -j ${id}"`;
  return new UnavailableError('launcher.unavailable', message);
}

/** Nothing where nobody could be asked. */
async function readExitCode(host: Host, path: string): Promise<number | 'none' | undefined> {
  try {
    const [part] = await host.readMany([{ path, offset: 0, length: 20 }]);
    const text = Buffer.from(part?.bytes ?? [])
      .toString()
      .trim();
    return /^\d{1,3}$/.test(text) ? Number(text) : 'none';
  } catch (thrown) {
    if (thrown instanceof UnavailableError || thrown instanceof UnknownOutcomeError) return undefined;
    throw thrown;
  }
}

/** No line end, quote or blank can come into an `#SBATCH` line, which no shell reads. */
const optionValue = /^[\w.,:+@/=*-]{1,200}$/;

export function renderBuildJob(script: string, exitFile: string, options: Readonly<Record<string, string>>): string {
  const wanted = Object.entries(options).filter(([, value]) => value !== '');
  const wrong = wanted.find(([name, value]) => !/^[a-z][a-z-]{1,40}$/.test(name) || !optionValue.test(value));
  if (wrong)
    throw new LauncherError('launcher.rejected', `Slurm option "${wrong[0]}" cannot be ${JSON.stringify(wrong[1])}`);
  return `#!/bin/sh
#SBATCH --job-name=abaco-build
#SBATCH --no-requeue
#SBATCH --export=NIL
#SBATCH --output=/dev/null
${wanted.map(([name, value]) => `#SBATCH --${name}=${value}\n`).join('')}PATH=/usr/local/bin:/usr/bin:/bin
export PATH
/bin/sh ${shellQuote(script)}
echo $? >${shellQuote(`${exitFile}.tmp`)}
mv ${shellQuote(`${exitFile}.tmp`)} ${shellQuote(exitFile)}
`;
}
