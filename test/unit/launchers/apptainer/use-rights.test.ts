/** Who may use what lies in the cache, while a registry is silent or says no. */

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createUseRights } from '../../../../launchers/apptainer/use-rights.ts';
import { LauncherError, UnavailableError } from '../../../../src/errors.ts';
import { silentLog } from '../../../support/silent-log.ts';

const signal = new AbortController().signal;
const image = { name: 'r.example.org/x', tenant: 'T' };
const minuteMs = 60_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** An image that was resolved a day ago, at a registry that answers so. */
function start(answer: () => Error | undefined) {
  const asked: string[] = [];
  let resolvedAt = new Date(Date.now() - 24 * 60 * minuteMs);
  const rights = createUseRights({
    uses: {
      nameOf: ({ tenant = '' }) => tenant,
      resolvedAt: async () => resolvedAt,
      note: async () => {
        resolvedAt = new Date();
      },
    },
    resolve: async ({ digest, tenant = '' }) => {
      asked.push(`${tenant} ${digest}`);
      const error = answer();
      if (error) throw error;
    },
    log: silentLog,
  });
  return { rights, asked };
}

describe('the right to use an image of the cache', () => {
  it('is asked for once in five minutes by each tenant while the registry is silent, and stops nothing', async () => {
    const { rights, asked } = start(() => new UnavailableError('image.registry_unavailable', 'silent'));
    const poor = { ...image, tenant: 'POOR' };
    for (const who of [image, image, poor, image, poor]) expect(await rights.mayUse('d', who, signal)).toBe(true);
    expect(asked).toEqual(['T d', 'POOR d']);
    expect(await rights.mayUse('other', image, signal)).toBe(true);
    expect(asked).toEqual(['T d', 'POOR d', 'T other']);
    vi.advanceTimersByTime(5 * minuteMs);
    expect(await rights.mayUse('d', image, signal)).toBe(true);
    expect(asked).toHaveLength(4);
  });

  it('holds up nobody else while the registry is being asked', async () => {
    const answer = Promise.withResolvers<void>();
    const { rights, asked } = start(() => undefined);
    const slow = createUseRights({
      uses: { nameOf: () => 'T', resolvedAt: async () => new Date(0), note: async () => undefined },
      resolve: async () => await answer.promise,
      log: silentLog,
    });
    const first = slow.mayUse('d', image, signal);
    expect(await slow.mayUse('d', image, signal)).toBe(true);
    answer.resolve();
    expect(await first).toBe(true);
    // One that answers is asked once a day.
    for (let count = 0; count < 3; count += 1) await rights.mayUse('d', image, signal);
    expect(asked).toHaveLength(1);
  });

  it('is refused as long as the registry says no', async () => {
    const { rights, asked } = start(() => new LauncherError('image.denied', 'no'));
    for (let count = 0; count < 2; count += 1)
      await expect(rights.mayUse('d', image, signal)).rejects.toMatchObject({ code: 'image.denied' });
    expect(asked).toHaveLength(2);
  });
});
