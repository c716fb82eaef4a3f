/** What a demo insists on: it ends with a sentence where something is not right. */

import { isRecord, readText } from '../../src/client/answer.ts';

export function check(isRight: boolean, wrong: string): asserts isRight {
  if (!isRight) throw new Error(`Not as it should be: ${wrong}`);
}

export function textIn(result: unknown, name: string): string {
  const text = isRecord(result) ? readText(result, name) : undefined;
  check(text !== undefined, `the answer has no ${name}: ${JSON.stringify(result)}`);
  return text;
}
