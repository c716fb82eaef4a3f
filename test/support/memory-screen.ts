import picocolors from 'picocolors';
import type { Screen } from '../../src/client/screen.ts';

export interface MemoryScreen extends Screen {
  /** All that was written, as one text. */
  output(): string;
  readonly notes: string[];
}

/** A screen that keeps what is written; without colours, so that tests read text. */
export function createMemoryScreen({ isTerminal = false } = {}): MemoryScreen {
  const written: Buffer[] = [];
  const notes: string[] = [];
  return {
    isTerminal,
    isNoteTerminal: isTerminal,
    colors: picocolors.createColors(false),
    write: async (text) => void written.push(Buffer.from(text)),
    note: (line) => void notes.push(line),
    output: () => Buffer.concat(written).toString(),
    notes,
  };
}
