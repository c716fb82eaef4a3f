import { describe, expect, it } from 'vitest';
import { renderJson } from '../../../src/client/output.ts';
import { describeResult, printResult, printResultsAsJson, takeResults } from '../../../src/client/print-results.ts';
import { createMemoryScreen } from '../../support/memory-screen.ts';

function resultsOf(...texts: readonly string[]) {
  const left = texts.map((text) => Buffer.from(text));
  const service = { takeResult: async () => left.shift() };
  const leaving = new AbortController();
  const { signal } = leaving;
  return { left, leaving, results: takeResults({ service, actorId: 'a1', executionId: 'e1', signal }) };
}

describe('takeResults', () => {
  it('takes them in order until there is none', async () => {
    const taken: string[] = [];
    for await (const result of resultsOf('one', 'two').results) taken.push(result.toString());
    expect(taken).toEqual(['one', 'two']);
  });

  it('leaves what it has not taken where the signal aborts', async () => {
    const { left, leaving, results } = resultsOf('one', 'two');
    const take = async () => {
      for await (const _ of results) leaving.abort();
    };
    await expect(take()).rejects.toMatchObject({ name: 'AbortError' });
    expect(left).toHaveLength(1);
  });
});

describe('printResult', () => {
  it('writes text as it is into a pipe', async () => {
    const screen = createMemoryScreen();
    await printResult(Buffer.from('42'), screen);
    await printResult(Buffer.from('x\n'), screen);
    expect(screen.output()).toBe('42x\n');
  });

  it('ends a text with a line break on a terminal', async () => {
    const screen = createMemoryScreen({ isTerminal: true });
    await printResult(Buffer.from('42'), screen);
    expect(screen.output()).toBe('42\n');
  });

  it.each([
    ['is no UTF-8', [0xff, 0xfe]],
    ['steers the terminal', [0x1b, 0x5b, 0x48]],
  ])('names what %s on a terminal', async (_, bytes) => {
    const screen = createMemoryScreen({ isTerminal: true });
    await printResult(Uint8Array.from(bytes), screen);
    expect(screen.output()).toBe('');
    expect(screen.notes).toEqual([`result of ${bytes.length} B that is no text; --output FILE keeps it`]);
  });
});

describe('printResultsAsJson', () => {
  it.each([[[]], [['one']], [['one', 'two\n']]])('writes %j as other JSON is written', async (texts) => {
    const screen = createMemoryScreen();
    await printResultsAsJson(resultsOf(...texts).results, screen);
    expect(screen.output()).toBe(renderJson(texts.map((text) => ({ text }))));
  });

  it('takes none where nothing can be written', async () => {
    const { left, results } = resultsOf('one');
    const screen = { ...createMemoryScreen(), write: async () => await Promise.reject(new Error('full')) };
    await expect(printResultsAsJson(results, screen)).rejects.toThrow('full');
    expect(left).toHaveLength(1);
  });
});

describe('describeResult', () => {
  it('is text or base64', () => {
    expect(describeResult(Buffer.from('ü'))).toEqual({ text: 'ü' });
    expect(describeResult(Uint8Array.of(0))).toEqual({ base64: 'AA==' });
  });
});
