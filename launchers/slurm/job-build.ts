/** Builds images as jobs, where a login node is no place for work: the script, and waiting for its exit code. */

import { LauncherError, UnavailableError } from '../../src/errors.ts';
import { pause } from '../../src/lib/backoff.ts';
import { shellQuote } from '../../src/lib/shell.ts';
import type { RunScript } from '../apptainer/sif-build.ts';
import type { Host } from '../host/host.ts';
import { sbatchCommand } from './commands/sbatch.ts';
import { cancelCommand } from './commands/scancel.ts';
import type { JobPoller } from './job-poller.ts';
import { phaseOf } from './job-state.ts';

export interface JobBuildOptions {
  readonly host: Host;
  readonly poller: JobPoller;
  /** Whose job it is. */
  readonly user: string;
  /** Checked values of options of sbatch; empty ones are left away. */
  readonly options: Readonly<Record<string, string>>;
  /** How long the shared file system may show late what the job wrote. */
  readonly lateMs: number;
}

const lookMs = 1_000;

export function runAsJob({ host, poller, user, options, lateMs }: JobBuildOptions): RunScript {
  return async (script, signal) => {
    const exitFile = `${script}.exit`;
    await host.put(`${script}.job`, Buffer.from(renderBuildJob(script, exitFile, options)), { mode: 0o700 });
    const id = String(await host.run(sbatchCommand(`${script}.job`), signal));
    const ended = new AbortController();
    const either = AbortSignal.any([signal, ended.signal]);
    let endedAtMs = Number.POSITIVE_INFINITY;
    const following = (async () => {
      for await (const view of poller.follow({ id, user, since: new Date() }, either)) {
        const isOver = view.kind === 'gone' || (view.kind === 'job' && phaseOf(view.job) === 'ended');
        if (!isOver) continue;
        endedAtMs = Math.min(endedAtMs, Date.now());
      }
    })().catch(() => undefined);
    try {
      while (!signal.aborted) {
        const exitCode = await readExitCode(host, exitFile);
        if (exitCode !== undefined) return exitCode;
        // Slurm's state only says when to stop waiting.
        if (Date.now() - endedAtMs > lateMs + lookMs) throw vanished(id);
        await pause(lookMs, signal);
      }
      await host.run(cancelCommand([id]), new AbortController().signal).catch(() => undefined);
      throw signal.reason;
    } finally {
      ended.abort();
      await following;
    }
  };
}

function vanished(id: string): UnavailableError {
  const message = `Job ${id}, which built an image, ended without saying how; see it with "sacct -j ${id}"`;
  return new UnavailableError('launcher.unavailable', message);
}

async function readExitCode(host: Host, path: string): Promise<number | undefined> {
  const [part] = await host.readMany([{ path, offset: 0, length: 20 }]);
  const text = Buffer.from(part?.bytes ?? [])
    .toString()
    .trim();
  return /^\d{1,3}$/.test(text) ? Number(text) : undefined;
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
