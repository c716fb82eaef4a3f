/**
 * What Slurm ended an attempt for, where its program was only told to end, or is gone without a word: from the state of
 * its job, from what Slurm wrote into the job's own output, and, of a cancelled one, from who did it.
 */

import { killedExitCode } from '../../src/launcher/decide-end.ts';
import type { LaunchEnd } from '../../src/launcher/launcher.ts';
import { optional } from '../../src/lib/optional.ts';
import type { FollowedJob, JobPoller, JobView } from './job-poller.ts';
import { causeOf, phaseOf, type SlurmCause } from './job-state.ts';

export interface CauseParts {
  readonly poller: Pick<JobPoller, 'account'>;
  readonly lastWords: () => Promise<string>;
  readonly accountingMs: number;
}

export interface EndFacts {
  readonly view: JobView;
  readonly job: FollowedJob;
  /** We were asked to end it, so nobody else has to be named. */
  readonly cancelled: boolean;
}

export async function withCause(parts: CauseParts, end: LaunchEnd, facts: EndFacts): Promise<LaunchEnd> {
  if (end.kind === 'cancelled') return await withCanceller(parts, end, facts);
  if (end.kind !== 'exited' && end.kind !== 'lost') return end;
  const cause = await causeFor(parts, end, facts);
  if (cause === undefined) return end;
  const exitCode = end.kind === 'exited' ? end.exitCode : undefined;
  if (cause === 'cancelled') {
    return await withCanceller(parts, { kind: 'cancelled', at: end.at, ...optional('exitCode', exitCode) }, facts);
  }
  return { kind: 'killed', by: cause, at: end.at, ...optional('exitCode', exitCode), detail: details[cause] };
}

const details: Readonly<Record<Exclude<SlurmCause, 'cancelled'>, string>> = {
  'time-limit': 'It ran longer than its walltime',
  'out-of-memory': 'It used more memory than its limit',
  'node-failure': 'Its node failed, and Slurm ended it',
  preemption: 'A job of higher priority took its place',
};

/** Killed or gone: only then is there something to ask for. */
async function causeFor(parts: CauseParts, end: LaunchEnd, { view }: EndFacts): Promise<SlurmCause | undefined> {
  const said = view.kind === 'job' && phaseOf(view.job) === 'ended' ? causeOf(view.job) : undefined;
  if (said !== undefined && said !== 'cancelled') return said;
  const wasKilled = end.kind === 'lost' || (end.kind === 'exited' && end.exitCode === killedExitCode);
  if (!wasKilled) return said;
  // A job above its memory may end as FAILED, or as CANCELLED: then only this tells.
  return causeInWords(await parts.lastWords().catch(() => '')) ?? said;
}

/** What slurmstepd writes at the end of a job it has killed. */
const words: readonly (readonly [RegExp, SlurmCause])[] = [
  [/exceeded (?:job|step) memory limit|memory limit.*being killed|oom.?kill|out of memory/i, 'out-of-memory'],
  [/CANCELLED AT .* DUE TO TIME LIMIT/i, 'time-limit'],
  [/CANCELLED AT .* DUE TO PREEMPTION/i, 'preemption'],
  [/CANCELLED AT .* DUE TO NODE FAILURE/i, 'node-failure'],
];

export function causeInWords(text: string): SlurmCause | undefined {
  const lines = text.split('\n').filter((line) => /^(?:slurmstepd|srun)[\w.-]*: /.test(line));
  return words.find(([pattern]) => lines.some((line) => pattern.test(line)))?.[1];
}

type Cancelled = Extract<LaunchEnd, { readonly kind: 'cancelled' }>;

/** Whoever ended it without asking us: only the accounting knows, so it is asked, and not waited for without end. */
async function withCanceller(
  parts: CauseParts,
  end: Cancelled,
  { view, job, cancelled }: EndFacts,
): Promise<Cancelled> {
  if (cancelled || view.kind !== 'job' || causeOf(view.job) !== 'cancelled') return end;
  const known = view.job.cancelledBy;
  const who = known ?? (await parts.poller.account(job, parts.accountingMs))?.at(-1)?.cancelledBy;
  return { ...end, detail: describeCanceller(who, job.user) };
}

export function describeCanceller(who: string | undefined, owner: string): string {
  if (who === undefined) return 'Its job was cancelled; Slurm does not say by whom';
  if (who === owner) return `Its job was cancelled by its user "${owner}"`;
  return `Its job was cancelled by the site, as "${who}"`;
}
