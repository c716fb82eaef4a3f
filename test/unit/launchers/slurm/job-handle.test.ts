import { describe, expect, it } from 'vitest';
import { followedBy, renderHandle } from '../../../../launchers/slurm/job-handle.ts';

const now = new Date('2026-11-25T12:00:00Z');
const attempt = {
  executionId: 'e',
  attempt: 2,
  owner: 'alice',
  limits: { graceMs: 1, logBytes: 10, resultBytes: 20, resultTotalBytes: 20, resultCount: 3 },
};
const job = { launcher: 'hpc', owner: 'alice', nativeId: '70_3' };

describe('the handle of an attempt', () => {
  it('names its job, and since when that has to be looked for', () => {
    const handle = renderHandle(attempt, { ...job, isNew: true }, now);
    expect(handle).toMatchObject({ ...job, executionId: 'e', attempt: 2, version: 1 });
    expect(handle).not.toHaveProperty('isNew');
    expect(followedBy(handle, 'al')).toEqual({ id: '70_3', user: 'al', since: now });
  });

  it('of one that is found lets its job be looked for as far back as it may have ended', () => {
    const handle = renderHandle(attempt, { ...job, isNew: false }, now);
    expect(followedBy(handle, 'alice')).toMatchObject({ since: new Date('2026-11-11T12:00:00Z') });
  });

  it.each(['', 'x', '70_', '--jobs=1'])('of a job that Slurm could not have named %j names none', (nativeId) => {
    expect(followedBy(renderHandle(attempt, { ...job, nativeId, isNew: true }, now), 'alice').id).toBe('');
  });
});
