import type { Clock } from '../lib/clock.ts';
import type { ExecutionAnswer } from './answer.ts';
import type { Screen } from './screen.ts';

/** Sooner, nobody has begun to wonder; a script that only started fast is left alone for longer. */
const quietMs = { terminal: 2_000, script: 10_000 };

/** Says why an execution has not started, once it has waited for a while and each time the reason changes. */
export function createWaitNotes(screen: Screen, clock: Clock): (execution: ExecutionAnswer) => void {
  const afterMs = screen.isNoteTerminal ? quietMs.terminal : quietMs.script;
  const sinceMs = clock.now().getTime();
  let last = '';
  return ({ status, wait }) => {
    if (status !== 'SUBMITTED' || clock.now().getTime() - sinceMs < afterMs) return;
    const next = wait?.next === undefined ? '' : `; ${asClause(wait.next)}`;
    const line = `waiting: ${wait === undefined ? 'no worker has taken the message yet' : wait.cause + next}`;
    if (line === last) return;
    last = line;
    screen.note(line);
  };
}

/** Words that keep their capital; so does one with more than the first, as SSH or MongoDB. */
const names = new Set(['Apptainer', 'Docker', 'Podman', 'Redis', 'Slurm']);

/** A sentence as the rest of another. */
function asClause(sentence: string): string {
  const [first = ''] = /^[A-Z][a-z]*(?![\w-])/.exec(sentence) ?? [];
  return first === '' || names.has(first) ? sentence : sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
