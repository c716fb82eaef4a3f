/** Watching what a launcher runs, from its handle to its end, whoever launched it. */

import { asError, ServiceError } from '../errors.ts';
import type { Wait } from '../executions/execution.ts';
import type { LaunchEnd, LaunchEvent, LaunchHandle } from '../launcher/launcher.ts';
import { optional } from '../lib/optional.ts';
import type { HeldExecution } from './held-execution.ts';
import type { LiveOutput } from './output-collector.ts';
import { waitFor } from './wait-for.ts';

export interface Followed {
  /** Nothing when it is gone. */
  readonly end: LaunchEnd | undefined;
  readonly live: LiveOutput;
}

export async function followExecution(held: HeldExecution, handle: LaunchHandle): Promise<Followed> {
  const { claimed, context, entry, kept } = held;
  const live = context.output.follow(entry.launcher, handle, held.lease, claimed.results);
  const over = new AbortController();
  const cancel = (): void => void cancelRunning(held, over.signal);
  kept.cancelled.addEventListener('abort', cancel, { once: true });
  if (claimed.cancelRequested || kept.cancelled.aborted) cancel();
  try {
    return { live, end: await watch(held, handle, live) };
  } finally {
    over.abort();
    await live.stop();
    kept.cancelled.removeEventListener('abort', cancel);
  }
}

/** What Redis is still to be told once the program is seen to run. */
interface Untold {
  /** That it runs, or that it waits for nothing any more. */
  running: boolean;
  /** Since when it cannot be watched. */
  since?: Date | undefined;
}

/** What no repetition mends meets every holder alike, until somebody mends it: an account that is refused, a changed key. */
async function watch(held: HeldExecution, handle: LaunchHandle, live: LiveOutput): Promise<LaunchEnd | undefined> {
  const { startedAt, wait } = held.claimed.execution;
  const untold: Untold = { running: startedAt === undefined || wait !== undefined };
  for (let count = 0; ; count += 1) {
    try {
      return await watchOnce(held, handle, { live, untold });
    } catch (thrown) {
      if (!(thrown instanceof ServiceError) || held.gone) throw thrown;
      held.log.warn({ err: thrown }, 'execution cannot be watched; it is tried again');
      untold.running = true;
      untold.since ??= new Date();
      if (!(await held.waitWith(waitFor(thrown, { since: untold.since }), count))) return undefined;
    }
  }
}

interface Watching {
  readonly live: LiveOutput;
  readonly untold: Untold;
}

async function watchOnce(
  held: HeldExecution,
  handle: LaunchHandle,
  { live, untold }: Watching,
): Promise<LaunchEnd | undefined> {
  const { context, entry, kept, lease } = held;
  const gone = AbortSignal.any([kept.lost, context.leaving]);
  for await (const event of entry.launcher.watch(handle, gone)) {
    untold.since = undefined;
    switch (event.kind) {
      case 'queued':
        untold.running = true;
        await context.mailbox.noteWait(lease, waitOf(event), false);
        break;
      case 'running':
        live.running();
        if (untold.running) await noteRunning(held, event.at, event.node);
        untold.running = false;
        break;
      default:
        return event;
    }
  }
  return undefined;
}

function waitOf(event: Extract<LaunchEvent, { kind: 'queued' }>): Wait {
  const { reason, at, owner, next, expected } = event;
  return { cause: reason, since: at, owner, next, ...optional('expected', expected) };
}

/** Also ends its wait, which may be of what a holder before has met. */
async function noteRunning(held: HeldExecution, at: Date, node: string): Promise<void> {
  held.startedAt ??= at;
  if ((await held.context.mailbox.running(held.lease, held.startedAt, node)) === 'running') {
    held.log.info({ node }, 'execution running');
  }
}

/** What has ended need not be told to, and a launcher may refuse that for ever. */
async function cancelRunning(held: HeldExecution, over: AbortSignal): Promise<void> {
  for (let count = 0; !held.gone && !over.aborted; count += 1) {
    try {
      await held.cancel();
      return;
    } catch (thrown) {
      held.log.warn({ err: asError(thrown) }, 'cancel failed');
      await held.pauseBefore(count);
    }
  }
}
