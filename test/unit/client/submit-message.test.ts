import { describe, expect, it } from 'vitest';
import { createHttp } from '../../../src/client/http.ts';
import { createService } from '../../../src/client/service.ts';
import { type SubmitMessage, submitMessage } from '../../../src/client/submit-message.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type FakeAnswer, startFakeService } from '../../support/fake-service.ts';
import { createMemoryScreen } from '../../support/memory-screen.ts';

const location = 'https://gateway/abaco/actors/v2/a1/executions/e1';
const answer = { body: 'first', contentType: 'application/octet-stream' };

/** The execution is seen to run before it is seen to have ended so. */
async function submit(posted: FakeAnswer, end: object, changes: Partial<SubmitMessage> = {}) {
  let looks = 0;
  await using fake = await startFakeService(({ path }) => {
    if (path.includes('/messages')) return posted;
    looks += 1;
    return { result: { id: 'e1', ...(looks === 1 ? { status: 'RUNNING' } : { status: 'COMPLETE', ...end }) } };
  });
  const screen = createMemoryScreen();
  const message = { contentType: 'application/json', body: Buffer.from('{}'), environment: {} } as const;
  const exitCode = await submitMessage({
    service: createService(createHttp({ url: fake.url })),
    screen,
    clock: systemClock,
    actorId: 'a1',
    message,
    sync: true,
    json: false,
    signal: new AbortController().signal,
    ...changes,
  });
  return { exitCode, output: screen.output(), notes: screen.notes, lines: fake.seen.map(({ line }) => line) };
}

describe('submitMessage', () => {
  it('prints the answer, waits for the end and exits as the program did', async () => {
    const { lines, ...seen } = await submit({ ...answer, location }, { end: 'exited', exit_code: 7 });
    expect(seen).toEqual({ exitCode: 7, output: 'first', notes: [] });
    expect(lines).toEqual([
      'POST /actors/v2/a1/messages?_abaco_synchronous=true',
      'GET /actors/v2/a1/executions/e1',
      'GET /actors/v2/a1/executions/e1',
    ]);
  });

  it('says why where the program did not end by itself', async () => {
    const seen = await submit({ ...answer, location }, { end: 'time-limit', exit_code: 143 });
    expect(seen).toMatchObject({ exitCode: 143, notes: ['Execution "e1" ended as time-limit'] });
  });

  it('tells all of it as JSON', async () => {
    const { output } = await submit({ ...answer, location }, { end: 'exited', exit_code: 0 }, { json: true });
    expect(JSON.parse(output)).toEqual({ execution_id: 'e1', exit_code: 0, text: 'first' });
  });

  it('prints what a service of before answers, which does not say where the execution is', async () => {
    expect(await submit(answer, {})).toMatchObject({ exitCode: 0, output: 'first', lines: { length: 1 } });
    expect(JSON.parse((await submit(answer, {}, { json: true })).output)).toEqual({ text: 'first' });
  });
});
