/** Has the image of an execution at hand before its start, and says what is done for it where that takes long. */

import type { PreparedImage } from '../launcher/launcher.ts';
import { optional } from '../lib/optional.ts';
import { orAborted } from '../lib/or-aborted.ts';
import type { HeldExecution } from './held-execution.ts';
import { userOf } from './launch-spec.ts';
import { createPrepareProgress } from './prepare-progress.ts';

/**
 * Also an image that was there may have to be made again. Who waits for it waits no longer once its owner has asked for its
 * end; the image is made all the same, as what comes after it, or another who asked for it, needs it too.
 *
 * @throws as `Launcher.prepare`.
 */
export async function prepareImage({ actor, context, entry, kept, lease }: HeldExecution): Promise<PreparedImage> {
  const { image: name, tenant, owner, digest } = actor;
  const image = { name, tenant, owner, ...optional('user', userOf(actor)), ...optional('digest', digest) };
  const over = AbortSignal.any([kept.lost, kept.cancelled]);
  over.throwIfAborted();
  const since = context.clock.now();
  const progress = createPrepareProgress(async (cause) => {
    const next = 'It starts once the image is there';
    await context.mailbox.noteWait(lease, { cause, since, owner: 'service', next }, false);
  });
  try {
    return await orAborted(entry.launcher.prepare(image, context.leaving, progress.tell), over);
  } finally {
    await progress.end();
  }
}
