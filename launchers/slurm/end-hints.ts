/**
 * Tells who watches an attempt that its end record was seen by whoever reads its output, which happens more often than
 * Slurm is asked: a job that ran for a second need not wait for the next question to be known as ended.
 */

import { EventEmitter } from 'node:events';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';

export interface EndHints {
  tell(ref: AttemptRef): void;
  listen(ref: AttemptRef, listener: () => void): Disposable;
}

export function createEndHints(): EndHints {
  const emitter = new EventEmitter();
  return {
    tell: (ref) => void emitter.emit(attemptKey(ref)),
    listen(ref, listener) {
      const key = attemptKey(ref);
      emitter.on(key, listener);
      return { [Symbol.dispose]: () => void emitter.off(key, listener) };
    },
  };
}
