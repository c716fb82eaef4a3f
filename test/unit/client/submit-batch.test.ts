import { describe, expect, it } from 'vitest';
import type { BatchLine } from '../../../src/client/batch-lines.ts';
import { createHttp } from '../../../src/client/http.ts';
import { createService } from '../../../src/client/service.ts';
import { type SubmitBatch, submitBatch } from '../../../src/client/submit-batch.ts';
import { type FakeHandler, startFakeService } from '../../support/fake-service.ts';
import { createMemoryScreen } from '../../support/memory-screen.ts';

const message = (line: number): BatchLine => ({ line, message: `"m${line}"` });
const bad: BatchLine = { line: 2, fault: { code: 'request.invalid', message: 'The line is not JSON' } };

/** Answers each message with its own text as id; "m3" is refused. */
const answerAll: FakeHandler = ({ body }) => {
  const { messages } = JSON.parse(body.toString()) as { messages: { message: string }[] };
  const error = { code: 'mailbox.full', message: 'Mailbox is full' };
  return {
    result: { messages: messages.map((one) => (one.message === 'm3' ? { error } : { execution_id: one.message })) },
  };
};

async function* each(batches: readonly (readonly BatchLine[])[]): AsyncIterable<readonly BatchLine[]> {
  yield* batches;
}

async function submit(
  answer: FakeHandler,
  batches: readonly (readonly BatchLine[])[],
  more: Partial<SubmitBatch> = {},
) {
  await using fake = await startFakeService(answer);
  const screen = createMemoryScreen();
  const service = createService(createHttp({ url: fake.url }));
  const { signal } = new AbortController();
  const given = { service, screen, actorId: 'a', file: 'lines', batches: each(batches), environment: { A: '1' } };
  const ended = await submitBatch({ ...given, json: false, idempotencyKey: 'k', signal, ...more }).catch(
    (thrown: unknown) => thrown as Error,
  );
  return { ended, output: screen.output(), notes: screen.notes, seen: fake.seen };
}

describe('submitBatch', () => {
  it('prints the ids, and sends each message under the key of its line', async () => {
    const { ended, output, notes, seen } = await submit(answerAll, [[message(1), message(4)], [message(5)]]);
    expect({ ended, output, notes }).toEqual({ ended: 0, output: 'm1\nm4\nm5\n', notes: [] });
    expect(seen.map(({ line }) => line)).toEqual(Array(2).fill('POST /actors/v2/a/messages/batch?A=1'));
    expect(seen.map(({ body }) => body.toString())).toEqual([
      '{"messages":[{"message":"m1","idempotency_key":"k:1"},{"message":"m4","idempotency_key":"k:4"}]}',
      '{"messages":[{"message":"m5","idempotency_key":"k:5"}]}',
    ]);
  });

  it('names the lines that were not taken, and how to send them alone', async () => {
    const { ended, output, notes } = await submit(answerAll, [[message(1), bad, message(3), message(4)]]);
    expect({ ended, output }).toEqual({ ended: 1, output: 'm1\nm4\n' });
    expect(notes).toEqual([
      'line 2: The line is not JSON',
      'line 3: Mailbox is full',
      '2 of 4 messages were not taken; the same again with --idempotency-key k sends the rest, and nothing twice',
    ]);
  });

  it('tells each line as JSON', async () => {
    const answer: FakeHandler = () => ({ result: { messages: [{ executionId: 'x', replayed: true }] } });
    const { ended, output } = await submit(answer, [[message(1), bad]], { json: true });
    expect(ended).toBe(1);
    expect(JSON.parse(output)).toEqual([
      { line: 1, execution: 'x', replayed: true },
      { line: 2, error: { code: 'request.invalid', message: 'The line is not JSON' } },
    ]);
  });

  it.each([false, true])('tells what was taken and the key when a later answer is lost (JSON: %s)', async (json) => {
    let calls = 0;
    const answer: FakeHandler = (request) => {
      calls += 1;
      if (calls > 1) throw new Error('the connection breaks');
      return answerAll(request);
    };
    const { ended, output, notes } = await submit(answer, [[message(1)], [message(4)]], { json });
    expect(ended).toMatchObject({ code: 'service.unreachable' });
    expect(output).toContain('m1');
    expect(output).not.toContain('m4');
    expect(notes).toEqual([
      'Not all lines were answered; the same again with --idempotency-key k sends the rest, and nothing twice',
    ]);
  });

  it('says no more than the service where it refuses all', async () => {
    const { ended, output, notes } = await submit(() => ({ status: 404, message: 'No such actor' }), [[message(1)]]);
    expect(ended).toMatchObject({ message: 'No such actor' });
    expect({ output, notes }).toEqual({ output: '', notes: [] });
  });

  it('refuses a file without messages, and sends nothing where no line is one', async () => {
    expect((await submit(answerAll, [])).ended).toMatchObject({
      message: 'File "lines" holds no message: no line has text',
    });
    expect(await submit(answerAll, [[bad]])).toMatchObject({ ended: 1, seen: [] });
  });
});
