/**
 * The first half of the path of an execution: prepare → intent → launch → handle. What a holder before has started is
 * looked for first. What has not started by then is launched as the same attempt again; the start marker makes the
 * repetition harmless.
 */

import { randomBytes } from 'node:crypto';
import { fillResources, policyProblem } from '../actors/resource-policy.ts';
import { renderExecutionToken } from '../auth/execution-token.ts';
import { asError, InvalidError, QuotaError, ServiceError, UnavailableError } from '../errors.ts';
import type { Wait } from '../executions/execution.ts';
import { hashToken } from '../executions/execution-store.ts';
import type { LaunchHandle, PreparedImage } from '../launcher/launcher.ts';
import type { EndOfExecution } from './end-of.ts';
import type { HeldExecution } from './held-execution.ts';
import { isImagesFault } from './image-fault.ts';
import { isInDoubt, isRefusedAccount } from './launch-doubt.ts';
import { buildLaunchSpec, type MessageSpec, type OwnerSpec, ownerSpec, planLimits } from './launch-spec.ts';
import { prepareImage } from './prepare-image.ts';
import { waitFor } from './wait-for.ts';

/** Why there is no handle: nothing of it runs and it has ended so, or somebody else goes on with it. */
export type NotStarted = { readonly ended: EndOfExecution } | { readonly left: 'given-back' | 'left' };

/** Of a step, which goes on with what it found. */
type Step<T> = { readonly done: T } | NotStarted;

export type Started = Step<LaunchHandle>;

export async function startExecution(held: HeldExecution): Promise<Started> {
  return (held.intended ? await findStarted(held) : undefined) ?? (await launchAnew(held));
}

/**
 * What runs is followed to its own end, whatever its actor, its queue or its owner has become: nothing that would refuse a
 * start is asked of it. Its launcher has to say; while it cannot, nobody knows, and it waits.
 */
async function findStarted(held: HeldExecution): Promise<Started | undefined> {
  const since = new Date();
  for (let count = 0; ; count += 1) {
    const found = await tryToFind(held, since);
    if (!('again' in found)) return found.handle && (await recordHandle(held, found.handle));
    if (held.gone || !(await held.waitWith(found.again, count))) return leave(held);
  }
}

async function tryToFind(
  held: HeldExecution,
  since: Date,
): Promise<{ readonly handle: LaunchHandle | undefined } | { readonly again: Wait }> {
  const { context, entry } = held;
  const closed = context.gate.waitOf(entry.name);
  if (closed) return { again: closed };
  const limits = planLimits(held.actor, context.settings.limits, entry.launcher.capabilities.queues);
  try {
    return { handle: await entry.launcher.find({ ...held.attempt, limits }, context.leaving) };
  } catch (thrown) {
    const error = asError(thrown);
    held.log.warn({ err: error }, 'nobody can say whether it has started; it is asked again');
    if (error instanceof UnavailableError && !isRefusedAccount(error)) return { again: suspectLauncher(held, error) };
    return { again: waitFor(error, { since }) };
  }
}

/** What does not answer one answers nobody, as a rule. @returns what it waits for. */
function suspectLauncher({ context: { gate }, entry }: HeldExecution, error: UnavailableError): Wait {
  return gate.suspect(entry, error) ?? waitFor(error);
}

async function launchAnew(held: HeldExecution): Promise<Started> {
  const { context } = held;
  const prepared = await prepare(held);
  if (!('done' in prepared)) return prepared;
  const secret = randomBytes(32).toString('base64url');
  await context.checkpoint('before-intent');
  const recorded = await context.mailbox.recordIntent(held.lease, {
    attempt: held.attempt.attempt,
    launcher: held.entry.place,
    notAfter: held.notAfter,
    tokenHash: hashToken(secret),
  });
  if (recorded === 'lost') return leave(held);
  const ended = recorded === 'cancelled' ? await cancelUnstarted(held) : undefined;
  if (ended) return ended;
  await context.checkpoint('after-intent');
  const described = await describe(held, prepared.done, secret);
  if (!('done' in described)) return described;
  const launched = await launch(held, described.done);
  if (!('done' in launched)) return launched;
  await context.checkpoint('after-launch');
  return await recordHandle(held, launched.done);
}

/** Closes the marker first: only then is it true that it never started. */
async function neverStarted(held: HeldExecution, detail: string): Promise<NotStarted> {
  const ended = await held.endUnstarted('launch-failed', detail);
  // It had started after all: whoever adopts it next looks for it first.
  return ended ? { ended } : leave(held);
}

async function cancelUnstarted(held: HeldExecution): Promise<NotStarted | undefined> {
  const ended = await held.endUnstarted('cancelled', 'It was cancelled before it started');
  return ended && { ended };
}

/**
 * A bad image is the actor's trouble, any other is tried again; either way the message waits. Before the intent it does so
 * in the mailbox, where it is the trouble of all.
 */
async function prepare(held: HeldExecution): Promise<Step<PreparedImage>> {
  for (let count = 0; ; count += 1) {
    try {
      return { done: await prepareImage(held) };
    } catch (thrown) {
      if (held.gone) return leave(held);
      const error = asError(thrown);
      if (!held.intended && (isImagesFault(error) || isOfAll(held, error))) return await giveBack(held, error);
      if (held.kept.cancelled.aborted) return (await cancelUnstarted(held)) ?? leave(held);
      const failed = isImagesFault(error) ? await failedStart(held, error.message) : undefined;
      if (failed) return failed;
      if (!(await held.waitWith(waitFor(error), count))) return leave(held);
    }
  }
}

function isOfAll({ context: { gate }, entry }: HeldExecution, error: Error): boolean {
  return error instanceof UnavailableError && gate.suspect(entry, error) !== undefined;
}

async function giveBack(held: HeldExecution, error: Error): Promise<NotStarted> {
  const { actors, mailbox } = held.context;
  if (isImagesFault(error)) await actors.markError(held.ref, held.actor.revision, error.message);
  await mailbox.giveBack(held.lease, waitFor(error));
  held.log.warn({ err: error }, 'execution given back');
  return { left: 'given-back' };
}

/** All that a launch is told. Waits for what cannot be read: nothing is lost by a key or a directory that is put back. */
async function describe(held: HeldExecution, image: PreparedImage, secret: string): Promise<Step<MessageSpec>> {
  const since = new Date();
  for (let count = 0; ; count += 1) {
    try {
      // Where it has started after all, it need not wait for what only a start needs.
      if (held.kept.cancelled.aborted) return (await cancelUnstarted(held)) ?? leave(held);
      return { done: await readSpec(held, image, secret) };
    } catch (thrown) {
      if (held.gone) return leave(held);
      const error = asError(thrown);
      if (isRefused(error)) return await neverStarted(held, error.message);
      held.log.warn({ err: error }, 'what it is told cannot be read; it is tried again');
      if (!(await held.waitWith(waitFor(error, { since }), count))) return leave(held);
    }
  }
}

async function readSpec(held: HeldExecution, image: PreparedImage, secret: string): Promise<MessageSpec> {
  const { actor, claimed, context, entry, lease } = held;
  const { limits, queues, valueText, apiServerOf } = context.settings;
  const policy = queues[actor.queue];
  return await buildLaunchSpec({
    actor,
    claimed,
    attempt: held.attempt,
    image,
    stateJson: await context.actors.stateJson(held.ref),
    configs: await context.configs.valuesFor(held.ref),
    accessToken: renderExecutionToken({ ...held.ref, executionId: lease.executionId, secret }),
    apiServer: apiServerOf(actor.tenant),
    valueText,
    notAfter: held.notAfter,
    limits,
    resources: policy ? fillResources(actor.resources, policy) : actor.resources,
    hasScheduler: entry.launcher.capabilities.queues,
    blobs: context.output.blobs,
  });
}

async function launch(held: HeldExecution, spec: MessageSpec): Promise<Started> {
  const since = new Date();
  for (let count = 0; ; count += 1) {
    if (held.gone) return leave(held);
    const ended = held.kept.cancelled.aborted ? await cancelUnstarted(held) : undefined;
    if (ended) return ended;
    const tried = await tryLaunch(held, spec, since);
    if (!('again' in tried)) return tried;
    if (tried.again === 'noted') await held.pauseBefore(count);
    else await held.waitWith(tried.again, count);
  }
}

/** @returns `again` with what it waits for, unless that was noted with the failed start. */
async function tryLaunch(
  held: HeldExecution,
  spec: MessageSpec,
  since: Date,
): Promise<Started | { readonly again: Wait | 'noted' }> {
  const { context, entry } = held;
  const closed = context.gate.waitOf(entry.name);
  if (closed) return { again: closed };
  const owner = await findOwner(held);
  if (owner instanceof UnavailableError) return { again: waitFor(owner) };
  if (owner instanceof ServiceError) return await refuse(held, spec, owner.message);
  try {
    checkPolicy(held);
    const began = performance.now();
    const handle = await entry.launcher.launch({ ...spec, ...owner }, context.leaving);
    held.noteHandedOver();
    context.onLaunched?.(entry.name, performance.now() - began);
    return { done: handle };
  } catch (thrown) {
    if (held.gone) return leave(held);
    const error = asError(thrown);
    if (isInDoubt(error)) held.noteHandedOver();
    if (error instanceof UnavailableError) return { again: suspectLauncher(held, error) };
    // A limit that others use up too: this one waits, and nobody else does.
    if (error instanceof QuotaError) return { again: { ...waitFor(error), since } };
    if (isRefused(error)) return await neverStarted(held, error.message);
    return (await failedStart(held, error.message)) ?? { again: 'noted' };
  }
}

/** The queue may allow less than when the actor was registered. */
function checkPolicy({ actor: { queue, resources }, context }: HeldExecution): void {
  const policy = context.settings.queues[queue];
  const problem = policy && policyProblem(resources, queue, policy);
  if (problem !== undefined) throw new InvalidError('launcher.rejected', `Resource ${problem}`);
}

/** Who it runs as now, which need not be who the owner was when the actor was registered. */
async function findOwner({ actor, context, entry }: HeldExecution): Promise<OwnerSpec | ServiceError> {
  try {
    const { tenant, owner, privileged } = actor;
    const runAs = await context.runAs.of({ tenant, owner, privileged, launcher: entry.name });
    return ownerSpec(actor, runAs, entry.launcher.capabilities);
  } catch (thrown) {
    if (thrown instanceof ServiceError) return thrown;
    throw thrown;
  }
}

/** For an owner who runs nothing any more. What had started before is told to stop, and its handle found. */
async function refuse(held: HeldExecution, spec: MessageSpec, detail: string): Promise<Started> {
  const ended = await held.endUnstarted('launch-failed', detail);
  if (ended) return { ended };
  if (held.gone) return leave(held);
  const { launcher } = held.entry;
  const known = { ...spec, ...ownerSpec(held.actor, held.actor, launcher.capabilities) };
  return { done: await launcher.launch(known, held.context.leaving) };
}

async function recordHandle(held: HeldExecution, handle: LaunchHandle): Promise<Started> {
  const recorded = await held.context.mailbox.recordHandle(held.lease, handle);
  if (recorded === 'recorded') {
    await held.context.checkpoint('after-handle');
    held.log.info({ nativeId: handle.nativeId, attempt: handle.attempt }, 'execution launched');
    return { done: handle };
  }
  // A latecomer after the end: what it made (and could not start) belongs to nobody any more.
  if (recorded === 'ended') await held.entry.launcher.remove(handle);
  return leave(held);
}

/** @returns nothing while it may be tried again. */
async function failedStart(held: HeldExecution, detail: string): Promise<NotStarted | undefined> {
  const failed = await held.countFailedStart(detail);
  if (failed === 'again') return undefined;
  if (failed === 'left') return leave(held);
  const never = await neverStarted(held, detail);
  // What comes after it would fare no better (contract §8.2): it waits until somebody has changed the actor.
  if ('ended' in never) {
    const { context, actor, ref } = held;
    const text = `It could not be started, ${context.settings.startFailures + 1} times in a row: ${detail}`;
    await context.actors.markError(ref, actor.revision, text);
  }
  return never;
}

function leave(held: HeldExecution): NotStarted {
  return { left: held.leave() };
}

/**
 * A no that stays however often it is asked: the same request is refused for ever, so it is not made five times. Of a user
 * the directory does not know it may be otherwise in a moment.
 */
function isRefused(error: Error): boolean {
  return error instanceof InvalidError && !error.code.startsWith('identity.');
}
