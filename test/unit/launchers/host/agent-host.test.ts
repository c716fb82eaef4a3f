import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type AgentChannel, type AgentHost, connectAgent } from '../../../../launchers/host/agent/agent-host.ts';
import { createFrameReader, encodeFrame } from '../../../../launchers/host/agent/frames.ts';
import type { Host } from '../../../../launchers/host/host.ts';

const never = new AbortController().signal;

/** An agent that says hello, and answers nothing but what `isAnswered` says. */
async function connectSilent(isAnswered: (verb: string) => boolean = () => false) {
  let say: (bytes: Uint8Array) => void = () => undefined;
  let isClosed = false;
  const hear = createFrameReader(({ head }) => {
    if (head.kind === 'ask' && isAnswered(head.verb)) say(encodeFrame({ kind: 'answer', id: head.id, value: null }));
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
  return { host, isClosed: () => isClosed };
}

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
