import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AgentChannel, type AgentHost, connectAgent } from '../../../../launchers/host/agent/agent-host.ts';
import { createFrameReader, encodeFrame, type FrameHead } from '../../../../launchers/host/agent/frames.ts';
import type { Host } from '../../../../launchers/host/host.ts';

const never = new AbortController().signal;

/** An agent that says hello, and answers nothing but what `isAnswered` says, and what it is told to. */
async function connectSilent(isAnswered: (verb: string) => boolean = () => false) {
  let say: (bytes: Uint8Array) => void = () => undefined;
  let isClosed = false;
  const heard: FrameHead[] = [];
  const answer = (id: number, value: unknown): void => say(encodeFrame({ kind: 'answer', id, value }));
  const hear = createFrameReader(({ head }) => {
    heard.push(head);
    if (head.kind === 'ask' && isAnswered(head.verb)) answer(head.id, null);
  });
  const channel: AgentChannel = {
    write: (bytes) => hear(bytes),
    onData(listener) {
      say = listener;
      listener(encodeFrame({ kind: 'hello', version: '1', user: 'alice', host: 'login' }));
    },
    onClose: () => undefined,
    close() {
      isClosed = true;
    },
  };
  const host = await connectAgent({ name: 'alice@login', channel, scratchRoots: ['/scratch'], helloMs: 1_000 });
  return { host, isClosed: () => isClosed, heard, answer };
}

/** Frames of one turn go out together. */
const sent = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

describe('an agent that does not answer', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  const calls: Record<string, (host: Host) => Promise<unknown>> = {
    list: async (host) => await host.list('/a'),
    read: async (host) => await Array.fromAsync(host.get('/a')),
    readMany: async (host) => await host.readMany([{ path: '/a', offset: 0, length: 1 }]),
    readLinks: async (host) => await host.readLinks(['/a']),
    hash: async (host) => await host.hash('/a'),
    put: async (host) => await host.put('/a', new Uint8Array()),
    link: async (host) => await host.link('/a', 'b'),
    makeDirectory: async (host) => await host.makeDirectory('/a', 0o700),
    removeTree: async (host) => await host.removeTree('/scratch/a'),
    waitForChange: async (host) => await host.waitForChange('/a', 1_000, never),
    run: async (host) => await host.run({ argv: ['true'], parse: () => undefined }, never),
  };
  const mayHaveBeenDone = ['put', 'link', 'makeDirectory', 'removeTree', 'run'];

  it.each(Object.keys(calls))('is given up, and its channel closed, when it is asked to %s', async (verb) => {
    const { host, isClosed } = await connectSilent();
    const refused = calls[verb]?.(host).catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(600_000);
    const code = mayHaveBeenDone.includes(verb) ? 'host.unknown_outcome' : 'host.unavailable';
    expect(await refused).toMatchObject({ code, message: expect.stringContaining(`did not answer "${verb}"`) });
    expect([host.alive, isClosed()]).toEqual([false, true]);
    await expect(host.list('/a')).rejects.toMatchObject({ code: 'host.unavailable' });
  });

  it('is waited for as long as a program may take, and a change may be awaited', async () => {
    const { host } = await connectSilent();
    const waiting = [
      host.run({ argv: ['true'], timeoutMs: 3_600_000, parse: () => undefined }, never),
      host.waitForChange('/a', 3_600_000, never),
    ];
    const settled = Promise.allSettled(waiting);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(host.alive).toBe(true);
    await host.close();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('is not given up for a call that it has answered', async () => {
    const { host }: { readonly host: AgentHost } = await connectSilent((verb) => verb === 'list');
    expect(await host.list('/a')).toBeUndefined();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(host.alive).toBe(true);
  });
});

describe('an agent that takes too long over one thing, and answers others', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  const wasRefused = async (call: Promise<unknown>): Promise<unknown> =>
    await call.then(
      () => 'no',
      (thrown: unknown) => thrown,
    );

  it('is asked no more for that alone, and all else goes on', async () => {
    const { host, isClosed, heard, answer } = await connectSilent((verb) => verb === 'list');
    const refused = wasRefused(host.hash('/huge.sif'));
    const building = host.run({ argv: ['build'], timeoutMs: 3_600_000, parse: ({ stdout }) => stdout }, never);
    await vi.advanceTimersByTimeAsync(300_000);
    await host.list('/a');
    await vi.advanceTimersByTimeAsync(300_000);
    const message = expect.stringContaining('did not answer "hash" within 600000 ms');
    expect(await refused).toMatchObject({ code: 'host.unavailable', message });
    expect([host.alive, isClosed()]).toEqual([true, false]);
    await sent();
    expect(heard.at(-1)).toEqual({ kind: 'forget', id: 1 });
    // Whatever it says of that now is nobody's.
    answer(1, 'late');
    answer(2, { stdout: 'built' });
    expect(await building).toBe('built');
  });

  it('is told by the error of what changes something that nobody knows what it has done', async () => {
    const { host } = await connectSilent((verb) => verb === 'list');
    const refused = wasRefused(host.removeTree('/scratch/million'));
    await vi.advanceTimersByTimeAsync(300_000);
    await host.list('/a');
    await vi.advanceTimersByTimeAsync(300_000);
    expect(await refused).toMatchObject({ code: 'host.unknown_outcome' });
    expect(host.alive).toBe(true);
  });

  it('keeps no upload that it began too late', async () => {
    const { host, heard, answer } = await connectSilent((verb) => verb === 'list' || verb === 'endPut');
    const refused = wasRefused(host.put('/a', new Uint8Array(2 * 1024 * 1024)));
    await host.list('/a');
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await refused).toMatchObject({ code: 'host.unavailable' });
    answer(1, 7);
    await sent();
    expect(heard.at(-1)).toMatchObject({ kind: 'ask', verb: 'endPut', args: { upload: 7, keep: false } });
  });

  it('is given up once it says nothing more', async () => {
    const { host, isClosed } = await connectSilent((verb) => verb === 'list');
    await host.list('/a');
    const refused = wasRefused(host.readLinks(['/a']));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(await refused).toMatchObject({ code: 'host.unavailable' });
    expect([host.alive, isClosed()]).toEqual([false, true]);
  });
});
