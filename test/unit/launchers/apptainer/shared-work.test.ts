import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createSharedWork } from '../../../../launchers/apptainer/shared-work.ts';

const signal = new AbortController().signal;

describe('shared work', () => {
  it('is done once for all who ask meanwhile, who are told the same', async () => {
    const share = createSharedWork<number>();
    const end = Promise.withResolvers<void>();
    let count = 0;
    const told: string[] = [];
    const ask = async (name: string) =>
      await share(
        'key',
        signal,
        (text) => void told.push(`${name} ${text}`),
        async (tell) => {
          tell('begun');
          await end.promise;
          return (count += 1);
        },
      );
    const first = ask('first');
    await setTimeout(0);
    const late = ask('late');
    end.resolve();
    expect(await Promise.all([first, late])).toEqual([1, 1]);
    expect(told).toEqual(['first begun', 'late begun']);
    expect(await ask('again')).toBe(2);
  });

  it('fails for all alike', async () => {
    const share = createSharedWork<void>();
    const fail = async () => await share('key', signal, undefined, async () => await Promise.reject(new Error('no')));
    for (const asked of [fail(), fail()]) await expect(asked).rejects.toThrow('no');
  });

  it('goes on with one who waits where the one who does it is stopped', async () => {
    const share = createSharedWork<string>();
    const stop = new AbortController();
    const work = (by: string, own: AbortSignal) => async () => {
      for (let count = 0; count < 20; count += 1) {
        own.throwIfAborted();
        await setTimeout(1);
      }
      return by;
    };
    const first = share('key', stop.signal, undefined, work('first', stop.signal));
    const others = ['second', 'third'].map(async (name) => await share('key', signal, undefined, work(name, signal)));
    stop.abort(new Error('stopped'));
    await expect(first).rejects.toThrow('stopped');
    expect(await Promise.all(others)).toEqual(['second', 'second']);
  });

  it('is not waited for by one who is stopped', async () => {
    const share = createSharedWork<string>();
    const end = Promise.withResolvers<string>();
    const first = share('key', signal, undefined, async () => await end.promise);
    const stop = new AbortController();
    const second = share('key', stop.signal, undefined, async () => 'second');
    stop.abort(new Error('stopped'));
    await expect(second).rejects.toThrow('stopped');
    end.resolve('first');
    expect(await first).toBe('first');
  });
});
