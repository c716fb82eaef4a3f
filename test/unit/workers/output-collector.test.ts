import { describe, expect, it } from 'vitest';
import type { Blobs } from '../../../src/executions/blobs.ts';
import type { Launcher, LaunchHandle } from '../../../src/launcher/launcher.ts';
import { createOutputCollector } from '../../../src/workers/output-collector.ts';

const handle: LaunchHandle = { launcher: 'l', executionId: 'e1', attempt: 1, nativeId: 'n', version: 1, state: {} };
const lease = { tenant: 't', actorId: 'a', executionId: 'e1', fence: 1, workerId: 'w', leaseMs: 1_000 };

describe('the output of what has ended', () => {
  it.each(['log', 'results'] as const)('is not read on when its worker leaves: %s', async (what) => {
    const leaving = new AbortController();
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; read < 1_000; read += 1) {
        if (read === 2) leaving.abort(new Error('left'));
        yield Buffer.from('x');
      }
    }
    async function* none(): AsyncGenerator<Uint8Array> {}
    const collect: Launcher['collect'] = async () => ({
      logBytes: what === 'log' ? 1_000 : 0,
      logTruncated: false,
      droppedResults: 0,
      readLog: what === 'log' ? endless : none,
      readResults: what === 'results' ? endless : none,
    });
    const collector = createOutputCollector({
      blobs: { remove: async () => undefined } as unknown as Blobs,
      mailbox: { appendResults: async () => 0 },
      pollMs: 60_000,
      inlineBytes: 10_000,
      onError: () => undefined,
    });
    const launcher = { collect, capabilities: { liveOutput: false } } as unknown as Launcher;
    const live = collector.follow(launcher, handle, lease, 0);
    await expect(live.finish(leaving.signal)).rejects.toThrow('left');
    expect(read).toBe(2);
  });
});
