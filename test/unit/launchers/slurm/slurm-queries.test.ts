import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSlurmQueries } from '../../../../launchers/slurm/slurm-queries.ts';
import { playSlurm } from '../../../support/play-slurm.ts';

describe('a cluster without accounting', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const { signal } = new AbortController();
  const question = { ids: ['1'], since: new Date(0), steps: false };

  it('is believed for ten minutes, and then asked again, as it may have one by then', async () => {
    const slurm = playSlurm();
    Object.assign(slurm, { accounted: [1], hasAccounting: false });
    const queries = createSlurmQueries(slurm.host);
    const ask = async () => await queries.accounting(question, signal);
    expect(queries.hasAccounting).toBe(true);
    expect(await ask()).toEqual({ jobs: [] });
    expect(queries.hasAccounting).toBe(false);
    slurm.hasAccounting = true;
    vi.advanceTimersByTime(599_000);
    expect(await ask()).toEqual({ jobs: [] });
    expect(slurm.asked).toEqual(['sacct']);
    vi.advanceTimersByTime(2_000);
    expect(queries.hasAccounting).toBe(true);
    expect((await ask()).jobs).toMatchObject([{ id: '1' }]);
  });
});
