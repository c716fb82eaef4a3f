import type { Clock } from '../lib/clock.ts';
import type { ExecutionAnswer } from './answer.ts';
import type { Screen } from './screen.ts';

/** Sooner, nobody has begun to wonder. */
const quietMs = 2_000;

/**
 * Says why an execution has not started, once it has waited for a while and each time the reason changes. Only to
 * somebody who looks.
 */
export function createWaitNotes(screen: Screen, clock: Clock): (execution: ExecutionAnswer) => void {
  const sinceMs = clock.now().getTime();
  let last = '';
  return ({ status, wait }) => {
    if (!screen.isNoteTerminal || status !== 'SUBMITTED' || clock.now().getTime() - sinceMs < quietMs) return;
    const next = wait?.next === undefined ? '' : `; ${wait.next}`;
    const line = `waiting: ${wait === undefined ? 'no worker has taken the message yet' : wait.cause + next}`;
    if (line === last) return;
    last = line;
    screen.note(line);
  };
}
