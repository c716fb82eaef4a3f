/**
 * Hands executions to Slurm: those of one user and kind that come within a short time together, as an array. Before
 * `sbatch`, the id of the submission stands in each member's ledger entry; it is the name of the job, so that a look-up
 * finds what became of a submission whose answer was lost.
 */

import { randomBytes } from 'node:crypto';
import { asError, QuotaError, UnknownOutcomeError } from '../../src/errors.ts';
import { attemptKey, parseAttemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import type { Host } from '../host/host.ts';
import type { HostLedger } from '../host/host-ledger.ts';
import { sbatchCommand } from './commands/sbatch.ts';
import type { StartPlan } from './plan-start.ts';
import { pressureGroup, type QueuePressure } from './queue-pressure.ts';
import { renderMember } from './render-member.ts';
import { renderScript, type Templates } from './render-script.ts';
import type { JobPlan } from './sbatch-options.ts';

/** One execution that is to be handed over. */
export interface Member {
  readonly ref: AttemptRef;
  readonly plan: StartPlan;
}

/** Where members of one kind go. Members of different kinds never share a submission. */
export interface SubmissionKind {
  /** Two of the same text may be handed over together. */
  readonly key: string;
  readonly owner: string;
  readonly host: Host;
  readonly ledger: HostLedger;
  /** Where the directories of submissions are made. */
  readonly directory: string;
  readonly options: Readonly<Record<string, string>>;
  /** Most elements of one submission. */
  readonly most: number;
}

export interface Submitted {
  /** Name of the submission. */
  readonly submission: string;
  /** `123`, or `123_4`. */
  readonly jobId: string;
}

export interface Submissions {
  /** Resolves once Slurm has taken it. Rejects as `sbatch` does; the outcome may be unknown. */
  submit(kind: SubmissionKind, member: Member, signal: AbortSignal): Promise<Submitted>;
}

export interface SubmissionsOptions {
  readonly installationId: string;
  readonly burstMs: number;
  readonly pressure: QueuePressure;
  readonly templates: Templates;
  readonly checkpoint: (point: string) => Promise<void>;
}

interface Waiting {
  readonly member: Member;
  readonly resolve: (submitted: Submitted) => void;
  readonly reject: (error: Error) => void;
}

export const jobNamePrefix = 'abaco-';

export function createSubmissions(options: SubmissionsOptions): Submissions {
  const batches = new Map<string, { readonly kind: SubmissionKind; readonly waiting: Waiting[] }>();

  function flush(key: string): void {
    const batch = batches.get(key);
    batches.delete(key);
    if (!batch) return;
    const { kind, waiting } = batch;
    const group = pressureGroup(kind.owner, kind.options);
    handOver(
      kind,
      waiting.map(({ member }) => member),
    ).then(
      (ids) => {
        options.pressure.taken(group, waiting.length);
        waiting.forEach(({ resolve }, index) => resolve(ids[index] as Submitted));
      },
      (thrown: unknown) => {
        if (thrown instanceof QuotaError) options.pressure.refused(group, waiting.length, thrown);
        else options.pressure.unanswered(group, waiting.length);
        for (const { reject } of waiting) reject(asError(thrown));
      },
    );
  }

  async function handOver(kind: SubmissionKind, members: readonly Member[]): Promise<readonly Submitted[]> {
    const { host, ledger } = kind;
    const submission = `s${randomBytes(8).toString('hex')}`;
    const directory = `${kind.directory}/${submission}`;
    await host.makeDirectory(directory, 0o700);
    const script = renderJob({ ...options, submission, directory, count: members.length, options: kind.options });
    await Promise.all([
      host.put(`${directory}/job.sh`, Buffer.from(script), { mode: 0o700 }),
      host.put(`${directory}/index`, Buffer.from(renderIndex(members.map(({ ref }) => ref)))),
      ...members.map(async (member, index) => {
        await host.put(`${directory}/${index}.sh`, Buffer.from(renderMember(member.plan)));
        await ledger.noteSubmission(member.ref, submission);
      }),
    ]);
    await options.checkpoint('before-create');
    // Never cut off by us: what Slurm has heard of it is heard.
    const number = await host
      .run(sbatchCommand(`${directory}/job.sh`), new AbortController().signal)
      .catch(async (thrown: unknown) => await forget(kind, submission, members, asError(thrown)));
    await options.checkpoint('after-create');
    return members.map((_, index) => ({ submission, jobId: elementId(number, index, members.length) }));
  }

  return {
    async submit(kind, member, signal) {
      signal.throwIfAborted();
      const group = pressureGroup(kind.owner, kind.options);
      options.pressure.admit(group);
      const { promise, resolve, reject } = Promise.withResolvers<Submitted>();
      let batch = batches.get(kind.key);
      if (!batch) {
        batch = { kind, waiting: [] };
        batches.set(kind.key, batch);
        const opened = batch;
        setTimeout(() => {
          if (batches.get(kind.key) === opened) flush(kind.key);
        }, options.burstMs);
      }
      batch.waiting.push({ member, resolve, reject });
      if (batch.waiting.length >= Math.min(kind.most, options.pressure.most(group))) flush(kind.key);
      return await promise;
    },
  };
}

interface JobScript extends Pick<SubmissionsOptions, 'templates' | 'installationId'> {
  readonly submission: string;
  readonly directory: string;
  readonly count: number;
  readonly options: Readonly<Record<string, string>>;
}

function renderJob({ templates, installationId, submission, directory, count, options }: JobScript): string {
  const jobName = jobNamePrefix + submission;
  const comment = `abaco ${installationId} ${submission}`;
  const output = `${directory}/${count > 1 ? '%a' : '0'}.out`;
  return renderScript({ jobName, comment, output, count, options, directory }, templates);
}

interface RehearsedSubmission extends Pick<SubmissionsOptions, 'templates' | 'installationId'> {
  readonly directory: string;
  readonly job: Pick<JobPlan, 'options' | 'tasks'>;
  readonly plan: StartPlan;
}

/** The files of a submission of one, for people to look at. */
export function renderSubmission({
  directory,
  job,
  plan,
  ...rest
}: RehearsedSubmission): Readonly<Record<string, string>> {
  const submission = `${job.tasks > 1 ? 'm' : 's'}${'0'.repeat(16)}`;
  const script = { ...rest, submission, directory: `${directory}/${submission}`, count: 1, options: job.options };
  return { 'job.sh': renderJob(script), '0.sh': renderMember(plan) };
}

/** What was refused is nowhere: nobody need look for it. Rejects with `error`. */
async function forget(
  { host, ledger, directory }: SubmissionKind,
  submission: string,
  members: readonly Member[],
  error: Error,
): Promise<never> {
  if (!(error instanceof UnknownOutcomeError)) {
    const steps = [
      ...members.map(async ({ ref }) => await ledger.noteSubmission(ref, '')),
      host.removeTree(`${directory}/${submission}`),
    ];
    // The sweep finds what is left.
    await Promise.allSettled(steps);
  }
  throw error;
}

/** Which element of its submission a job is; a job that is no array is the first. */
export function elementOf(jobId: string): number {
  return Number(jobId.split('_')[1] ?? 0);
}

function elementId(number: number, index: number, count: number): string {
  return count > 1 ? `${number}_${index}` : String(number);
}

/** Which attempt each element is, a line each. */
export function renderIndex(refs: readonly AttemptRef[]): string {
  return refs.map((ref) => `${attemptKey(ref)}\n`).join('');
}

export function parseIndex(text: string): readonly (AttemptRef | undefined)[] {
  return text.split('\n').slice(0, -1).map(parseAttemptKey);
}
