/**
 * The path of one execution through a worker, from its claim (or its adoption) to its removal:
 *
 *     prepare → intent → launch → handle → running → watch → collect → settle → remove
 *
 * - *before the intent* nothing was started: a bad image, and a launcher that does not answer, give the message back to its
 *   old place; trouble of its own that may pass is waited for.
 * - *intent without a handle*: something may have been started. Whoever takes over looks for it first. What has not
 *   started is launched as the same attempt, again and again while trouble may pass; the start marker makes the repetition
 *   harmless. It never goes back to the mailbox.
 * - *handle*: it is watched to its end, whoever launched it.
 * - *settled*: the execution is over, and the cleanup entry written with it owes the removal of its container.
 *
 * A worker whose lease was lost finishes nothing: it leaves at the next step, and what runs goes on under its new holder.
 */

import type { Actor } from '../actors/actor.ts';
import { asError } from '../errors.ts';
import { type Claimed, type Settlement, stateOfEnd } from '../executions/execution.ts';
import type { LauncherEntry } from '../launcher/launcher-table.ts';
import { optional } from '../lib/optional.ts';
import { type EndOfExecution, endOf } from './end-of.ts';
import { followExecution } from './follow-execution.ts';
import { HeldExecution } from './held-execution.ts';
import { isRefusedAccount } from './launch-doubt.ts';
import type { LiveOutput } from './output-collector.ts';
import type { RunContext } from './run-context.ts';
import { type Started, startExecution } from './start-execution.ts';

/** How a worker left an execution. `left`: another holds it, or this process is leaving. */
export type RunOutcome = 'settled' | 'given-back' | 'left';

export async function runExecution(
  context: RunContext,
  entry: LauncherEntry,
  claimed: Claimed,
  actor: Actor,
): Promise<RunOutcome> {
  using kept = context.leases.keep(claimed.lease);
  const held = new HeldExecution(context, entry, claimed, actor, kept);
  let started: Started = claimed.handle ? { done: claimed.handle } : await startExecution(held);
  for (;;) {
    if ('left' in started) return started.left;
    // What was never followed never started, and there is nothing to collect.
    if ('ended' in started) return await finish(held, started.ended);
    const { end, live } = await followExecution(held, started.done);
    if (!end) return held.leave();
    const meaning = endOf(end);
    if (meaning !== 'again') return await finish(held, meaning, live);
    const detail = end.kind === 'lost' ? end.detail : '';
    const failed = await held.countFailedStart(detail);
    if (failed === 'left') return held.leave();
    if (failed === 'too-many') {
      const ended = await held.endUnstarted('launch-failed', detail);
      return ended ? await finish(held, ended, live) : held.leave();
    }
    held.nextAttempt();
    started = await startExecution(held);
  }
}

/** collect → settle → remove. */
async function finish(held: HeldExecution, meaning: EndOfExecution, live?: LiveOutput): Promise<RunOutcome> {
  const { books, checkpoint, leaving, mailbox, settings } = held.context;
  await checkpoint('before-collect');
  const gone = AbortSignal.any([held.kept.lost, leaving]);
  const output = live && (await held.patiently('collect', () => live.finish(gone)));
  if (live && !output) return held.leave();
  const settlement: Settlement = {
    ...meaning,
    state: stateOfEnd(meaning, settings.failedState),
    ...optional('startedAt', output?.usage?.startedAt ?? held.startedAt),
    finishedAt: output?.usage?.finishedAt ?? meaning.finishedAt,
    ...optional('usage', output?.settled),
    log: output?.log ?? { body: { inline: new Uint8Array() }, truncated: false },
  };
  await checkpoint('before-settle');
  const settled = await held.patiently('settle', () => mailbox.settle(held.lease, settlement));
  if (settled !== 'settled') return held.leave();
  await checkpoint('after-settle');
  held.log.info({ end: meaning.end, exitCode: meaning.exitCode }, 'execution ended');
  if (output?.accounting) books.add({ ...held.ref, executionId: held.lease.executionId }, output.accounting);
  await remove(held);
  return 'settled';
}

/** The cleanup entry stands until this has worked; when it fails, the sweep tries again. */
async function remove(held: HeldExecution): Promise<void> {
  const { context, entry, attempt } = held;
  try {
    await entry.launcher.remove(attempt).catch((thrown: unknown) => {
      // Nothing can run, and an account that is not there keeps nothing; what one has that is, a sweep finds.
      if (held.handedOver || !isRefusedAccount(thrown)) throw thrown;
    });
    await context.mailbox.cleanupDone(held.ref, { ...attempt, launcher: entry.place });
    await context.checkpoint('after-cleanup');
  } catch (thrown) {
    held.log.warn({ err: asError(thrown) }, 'removal failed; the sweep repeats it');
  }
}
