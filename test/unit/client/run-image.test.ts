import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHttp } from '../../../src/client/http.ts';
import { renderJson } from '../../../src/client/output.ts';
import { type RunImageOptions, runImage } from '../../../src/client/run-image.ts';
import { createService } from '../../../src/client/service.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { type FakeAnswer, type SeenRequest, startFakeService } from '../../support/fake-service.ts';
import { createMemoryScreen } from '../../support/memory-screen.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

interface Script {
  readonly actors?: readonly object[];
  readonly execution?: object;
  readonly log?: string;
  readonly results?: readonly string[];
  readonly answer?: (request: SeenRequest) => FakeAnswer | undefined;
}

/** A service with one execution, "e1", and whatever the script says of it. */
function play(script: Script): (request: SeenRequest) => FakeAnswer {
  const results = [...(script.results ?? [])];
  const ended = { id: 'e1', status: 'COMPLETE', end: 'exited', exit_code: 0 };
  return (request) => {
    const own = script.answer?.(request);
    if (own !== undefined) return own;
    const [method, path = ''] = request.line.split(' ');
    if (path.includes('/messages')) return { result: { execution_id: 'e1', msg: 'm' } };
    if (path.includes('/results')) return { body: results.shift() ?? '', contentType: 'application/octet-stream' };
    if (path.includes('/logs')) return { result: { logs: script.log ?? '' } };
    if (path.includes('/executions/')) return { result: { ...ended, ...script.execution } };
    if (path === '/actors/v2' && method === 'GET') return { result: script.actors ?? [] };
    return { result: { id: 'a1', image: 'img' } };
  };
}

async function run(script: Script, changes: Partial<RunImageOptions> = {}) {
  await using fake = await startFakeService(play(script));
  const screen = createMemoryScreen();
  const message = {
    contentType: 'application/json',
    body: Buffer.from('{"message":"hi"}'),
    environment: { A: '1' },
  } as const;
  const exitCode = await runImage({
    service: createService(createHttp({ url: fake.url })),
    screen,
    clock: systemClock,
    image: 'img',
    message,
    keep: false,
    quiet: false,
    json: false,
    signal: new AbortController().signal,
    ...changes,
  });
  return { exitCode, output: screen.output(), notes: screen.notes, seen: fake.seen };
}

const linesOf = (seen: readonly SeenRequest[], ...methods: readonly string[]): readonly string[] =>
  seen.map(({ line }) => line).filter((line) => methods.includes(line.split(' ')[0] ?? ''));

describe('runImage', () => {
  it('registers, sends, follows, takes the results and removes the actor', async () => {
    const { exitCode, output, seen } = await run({ log: 'log\n', results: ['42\n'] });
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: 'log\n42\n' });
    expect(linesOf(seen, 'POST', 'PUT', 'DELETE')).toEqual([
      'POST /actors/v2',
      'POST /actors/v2/a1/messages?A=1',
      'DELETE /actors/v2/a1',
    ]);
    expect(seen.find(({ path }) => path.includes('/messages'))?.headers['idempotency-key']).toMatch(/^[\w-]{36}$/);
  });

  it('gives the exit code of the program', async () => {
    expect(await run({ execution: { exit_code: 7 } })).toMatchObject({ exitCode: 7, notes: [] });
  });

  it('gives 1 and the reason when it was never started', async () => {
    const execution = { status: 'ERROR', end: 'launch-failed', end_detail: 'no such image', exit_code: null };
    expect(await run({ execution })).toMatchObject({
      exitCode: 1,
      notes: ['Execution "e1" ended as launch-failed: no such image'],
    });
  });

  it('shows results alone when it is to be quiet', async () => {
    expect((await run({ log: 'log\n', results: ['42'] }, { quiet: true })).output).toBe('42');
  });

  it('tells all of it as JSON', async () => {
    const { output } = await run({ log: 'log\n', results: ['42'] }, { json: true });
    const told = {
      actor: 'a1',
      execution: { id: 'e1', status: 'COMPLETE', end: 'exited', exit_code: 0 },
      log: 'log\n',
      results: [{ text: '42' }],
    };
    expect(output).toBe(renderJson(told));
  });

  it('tells the rest of it as JSON when the results go to a file', async () => {
    await using scratch = await makeTestDirectory('run-image');
    const file = join(scratch.path, 'results');
    const { output, notes } = await run({ log: 'log\n', results: ['42', '\0'] }, { json: true, output: file });
    expect(JSON.parse(output)).toEqual({
      actor: 'a1',
      execution: { id: 'e1', status: 'COMPLETE', end: 'exited', exit_code: 0 },
      log: 'log\n',
    });
    expect(await readFile(file, 'utf8')).toBe('42\0');
    expect(notes).toEqual([`2 results written to ${file}`]);
  });

  it('takes no result as JSON where nothing can be written', async () => {
    const screen = { ...createMemoryScreen(), write: async () => await Promise.reject(new Error('full')) };
    const seen: string[] = [];
    const answer = ({ line }: SeenRequest) => void seen.push(line);
    await expect(run({ results: ['42'], answer }, { json: true, screen })).rejects.toThrow('full');
    expect(seen.filter((line) => line.includes('/results'))).toEqual([]);
  });

  it('keeps the actor when asked, and takes it again', async () => {
    const kept = { id: 'k1', name: 'abaco-run', image: 'img', stateless: true };
    const first = await run({}, { keep: true });
    expect(linesOf(first.seen, 'POST', 'DELETE')).toEqual(['POST /actors/v2', 'POST /actors/v2/a1/messages?A=1']);
    const second = await run({ actors: [{ ...kept, image: 'other' }, kept] }, { keep: true });
    expect(linesOf(second.seen, 'PUT', 'POST').slice(0, 1)).toEqual(['PUT /actors/v2/k1']);
  });

  it('asks nothing of the service where the file for results cannot be written', async () => {
    await using fake = await startFakeService(play({}));
    const service = createService(createHttp({ url: fake.url }));
    const message = { contentType: 'application/json', body: Buffer.from('{}'), environment: {} } as const;
    const options = { service, screen: createMemoryScreen(), clock: systemClock, image: 'img', message };
    const flags = { keep: false, quiet: false, json: false, signal: new AbortController().signal };
    const running = runImage({ ...options, ...flags, output: '/no/such/file' });
    await expect(running).rejects.toThrow(/^File "\/no\/such\/file" cannot be written/);
    expect(fake.seen).toEqual([]);
  });

  it('never takes over an actor that another run is going to remove', async () => {
    const throwAway = { id: 't1', name: 'abaco-run-once', image: 'img', stateless: true };
    const { seen } = await run({ actors: [throwAway] }, { keep: true });
    expect(linesOf(seen, 'POST', 'PUT')[0]).toBe('POST /actors/v2');
  });

  it('sends the message again, with the same key, when the service was away', async () => {
    let posts = 0;
    const { seen, exitCode } = await run({
      answer: ({ path }) =>
        path.includes('/messages') && ++posts === 1 ? { status: 503, message: 'draining' } : undefined,
    });
    const keys = seen.filter(({ path }) => path.includes('/messages')).map(({ headers }) => headers['idempotency-key']);
    expect(exitCode).toBe(0);
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(2);
  });

  it('removes the actor when the message is refused', async () => {
    const refused = play({
      answer: ({ path }) => (path.includes('/messages') ? { status: 400, message: 'no' } : undefined),
    });
    await using fake = await startFakeService(refused);
    const service = createService(createHttp({ url: fake.url }));
    const message = { contentType: 'application/json', body: Buffer.from('{}'), environment: {} } as const;
    const options = { service, screen: createMemoryScreen(), clock: systemClock, image: 'img', message };
    const flags = { keep: false, quiet: false, json: false, signal: new AbortController().signal };
    await expect(runImage({ ...options, ...flags })).rejects.toThrow('no');
    expect(linesOf(fake.seen, 'DELETE')).toEqual(['DELETE /actors/v2/a1']);
  });

  it.each([
    [false, 'DELETE /actors/v2/a1'],
    [true, 'DELETE /actors/v2/a1/executions/e1'],
  ])('leaves nothing running when it is interrupted (kept: %s)', async (keep, line) => {
    const leaving = new AbortController();
    await using fake = await startFakeService(
      play({
        execution: { status: 'RUNNING', end: null },
        answer: ({ path }) => {
          if (path.endsWith('/executions/e1')) leaving.abort();
          return undefined;
        },
      }),
    );
    const service = createService(createHttp({ url: fake.url }));
    const message = { contentType: 'application/json', body: Buffer.from('{}'), environment: {} } as const;
    const options = { service, screen: createMemoryScreen(), clock: systemClock, image: 'img', message };
    await expect(
      runImage({ ...options, keep, quiet: false, json: false, signal: leaving.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(linesOf(fake.seen, 'DELETE')).toEqual([line]);
  });
});
