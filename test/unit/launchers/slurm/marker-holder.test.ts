import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holderLabel, holderOf } from '../../../../launchers/slurm/marker-holder.ts';
import type { StartMarker } from '../../../../src/launcher/ledger.ts';

/** The marker of a start in a job with this environment. */
function markerOf(environment: NodeJS.ProcessEnv): StartMarker {
  const label = execFileSync('/bin/sh', ['-c', `printf %s ${holderLabel}`], { env: environment }).toString();
  return { kind: 'started', owner: `${'0'.repeat(32)}@${label}` };
}

describe('who holds a start marker', () => {
  it.each([
    [
      { SLURM_JOB_ID: '17', SLURMD_NODENAME: 'c1-n.2' },
      { jobId: '17', restarts: 0, node: 'c1-n.2' },
    ],
    [
      { SLURM_JOB_ID: '17', SLURM_RESTART_COUNT: '2', SLURMD_NODENAME: 'c1' },
      { jobId: '17', restarts: 2, node: 'c1' },
    ],
    [
      { SLURM_JOB_ID: '17', SLURM_RESTART_COUNT: '2' },
      { jobId: '17', restarts: 2 },
    ],
  ])('is read from what its job wrote: %o', (environment, holder) => {
    expect(holderOf(markerOf(environment))).toEqual(holder);
  });

  it('is nobody where none has started, or something else stands there', () => {
    expect(holderOf({ kind: 'free' })).toBeUndefined();
    expect(holderOf({ kind: 'closed', reason: 'lost' })).toBeUndefined();
    for (const label of ['', '@', '@--jobs=1', '@1', '@1.x', '@1.0:', '@1.0:c1 -x', '@1.0:c1\nc2', '1.0:c1']) {
      expect(holderOf({ kind: 'started', owner: `00${label}` })).toBeUndefined();
    }
  });

  it('has a number that Slurm would take, as a question with another is refused whole', () => {
    const numberIn = (number: string) => holderOf({ kind: 'started', owner: `00@${number}.0` })?.jobId;
    expect(['1', '67108863', '4294967279'].map(numberIn)).toEqual(['1', '67108863', '4294967279']);
    for (const number of ['0', '01', '4294967280', '4294967295', '9'.repeat(11), '9'.repeat(4_000)]) {
      expect(numberIn(number)).toBeUndefined();
    }
    expect(holderOf({ kind: 'started', owner: `00@1.${'9'.repeat(11)}` })).toBeUndefined();
  });

  it('never has a name that is more than a name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const holder = holderOf({ kind: 'started', owner: `00@1.0:${text}` });
        if (holder) expect(holder.node).toMatch(/^[\w.-]+$/);
      }),
    );
  });
});
