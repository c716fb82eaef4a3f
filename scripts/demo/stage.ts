/** What the demo shows: steps, the lines a user would type, and what came back. Colours on a terminal, else plain text. */

import type { Screen } from '../../src/client/screen.ts';

export interface Stage {
  readonly screen: Screen;
  title(text: string): void;
  step(text: string): void;
  /** A line to type. */
  command(line: string): void;
  /** What came back. */
  answer(text: string): void;
  /** Something that was checked and is right. */
  right(text: string): void;
  /** How far something is; only where somebody looks. */
  progress(text: string): void;
  text(text: string): void;
}

/** Takes the line away that `progress` wrote. */
const clearLine = '\r\u001b[K';

export function createStage(screen: Screen): Stage {
  const { colors, isTerminal } = screen;
  const line = (text: string): void => void screen.write(`${isTerminal ? clearLine : ''}${text}\n`);
  let steps = 0;
  return {
    screen,
    title: (text) => line(`\n${colors.bold(text)}`),
    step: (text) => {
      steps += 1;
      line(`\n${colors.bold(colors.cyan(`${steps}. ${text}`))}`);
    },
    command: (text) => line(`\n   ${colors.dim('$')} ${colors.yellow(text)}`),
    answer: (text) => {
      for (const part of text.trimEnd().split('\n')) line(`   ${part}`);
    },
    right: (text) => line(`   ${colors.green(isTerminal ? '✓' : 'ok:')} ${text}`),
    progress: (text) => {
      if (isTerminal) void screen.write(`${clearLine}   ${colors.dim(text)}`);
    },
    text: (text) => line(text),
  };
}
