import { beforeEach, describe, expect, it } from 'vitest';
import type { JobView } from '../../../../launchers/slurm/job-poller.ts';
import { createHaltTeller, createWaitTeller, type WaitTeller } from '../../../../launchers/slurm/tell-wait.ts';

const start = Date.UTC(2026, 0, 2, 3, 4, 5);
const at = (seconds: number): Date => new Date(start + seconds * 1_000);

function waits(reason: string, expectedAt?: number, states: readonly string[] = ['PENDING']): JobView {
  const job = { id: '1', ownId: 1, name: 'n', user: 'alice', states, reason, exitCode: 0, signal: 0, nodes: '' };
  return { kind: 'job', job: expectedAt === undefined ? job : { ...job, startedAt: at(expectedAt) } };
}

describe('why a job waits', () => {
  let teller: WaitTeller;

  beforeEach(() => {
    teller = createWaitTeller();
  });

  it('is told once, with its age from then on', () => {
    expect(teller.tell(waits('Priority'), at(0))).toMatchObject({
      reason: expect.stringContaining('Priority') as string,
      at: at(0),
    });
    expect(teller.tell(waits('Priority'), at(5))).toBeUndefined();
    expect(teller.tell(waits('Resources'), at(10))).toMatchObject({ at: at(10) });
  });

  it('comes with the start that Slurm expects, as soon as there is one, under the same age', () => {
    teller.tell(waits('Resources'), at(0));
    expect(teller.tell(waits('Resources', 900), at(30))).toMatchObject({ at: at(0), expected: at(900) });
  });

  it('is told again when the plan has moved, and not more often than every two minutes', () => {
    teller.tell(waits('Resources', 900), at(0));
    expect(teller.tell(waits('Resources', 930), at(300))).toBeUndefined();
    teller.tell(waits('Resources', 1_200), at(301));
    expect(teller.tell(waits('Resources', 2_400), at(310))).toBeUndefined();
    expect(teller.tell(waits('Resources', 2_400), at(430))).toMatchObject({ at: at(0), expected: at(2_400) });
  });

  it('holds no start that is past', () => {
    expect(teller.tell(waits('Resources', -10), at(0))).not.toHaveProperty('expected');
  });

  it('is that Slurm does not answer, or that its word is not known', () => {
    const silence: JobView = { kind: 'unanswered', asked: 'squeue', error: new Error('timed out') };
    expect(teller.tell(silence, at(0))).toMatchObject({
      reason: 'Slurm does not answer: timed out',
      owner: 'operator',
    });
    expect(teller.tell(waits('None', undefined, ['TELEPORTED']), at(5))).toMatchObject({
      reason: 'Slurm says a state we do not know, TELEPORTED',
    });
  });

  it('says that Slurm is asked less often, where it wants that', () => {
    const view = { ...waits('Priority'), slowed: 'RPC rate limited' } as JobView;
    expect(teller.tell(view, at(0))?.reason).toBe(
      'Other jobs are before it in the queue (Priority); Slurm limits how often it is asked, so this may be old (RPC rate limited)',
    );
  });

  it('is no reason of Slurm any more once its job runs', () => {
    teller.tell(waits('Resources'), at(0));
    const view = waits('None', undefined, ['RUNNING']);
    if (view.kind === 'job') Object.assign(view.job, { nodes: 'c1' });
    const reason = 'Its job runs on c1, and its container is being started';
    expect(teller.tell(view, at(5))).toMatchObject({ reason, at: at(5), owner: 'scheduler' });
    expect(teller.tell(view, at(10))).toBeUndefined();
  });

  it('is what holds up a job that has nodes', () => {
    expect(teller.tell(waits('None', undefined, ['SUSPENDED']), at(0))?.reason).toBe('Slurm has suspended it');
  });

  it('is nothing for a job that has ended', () => {
    expect(teller.tell(waits('None', undefined, ['FAILED']), at(0))).toBeUndefined();
  });
});

describe('why a program that runs stands still', () => {
  const silence: JobView = { kind: 'unanswered', asked: 'squeue', error: new Error('timed out') };

  it('is told once, until it goes on', () => {
    const halts = createHaltTeller();
    expect(halts.tell(waits('None', undefined, ['RUNNING']), at(0))).toBeUndefined();
    const [suspended, stopped] = [waits('None', undefined, ['SUSPENDED']), waits('None', undefined, ['STOPPED'])];
    expect(halts.tell(suspended, at(5))).toMatchObject({ reason: 'Slurm has suspended it', at: at(5) });
    expect(halts.tell(suspended, at(10))).toBeUndefined();
    expect(halts.tell(stopped, at(15))).toMatchObject({ reason: expect.stringContaining('signal') as string });
    expect(halts.tell(waits('None', undefined, ['RUNNING']), at(20))).toBe('over');
    expect(halts.tell(waits('None', undefined, ['RUNNING']), at(25))).toBeUndefined();
  });

  it('is that nothing is known of it, after a minute of that', () => {
    const halts = createHaltTeller();
    expect(halts.tell(silence, at(0))).toBeUndefined();
    expect(halts.tell(waits('None', undefined, ['RUNNING']), at(55))).toBeUndefined();
    expect(halts.tell(silence, at(65))).toBeUndefined();
    expect(halts.tell({ kind: 'hinted' }, at(120))).toBeUndefined();
    expect(halts.tell(silence, at(125))).toMatchObject({ reason: 'Slurm does not answer: timed out', at: at(65) });
    expect(halts.tell(silence, at(130))).toBeUndefined();
    expect(halts.tell(waits('None', undefined, ['RUNNING']), at(135))).toBe('over');
  });

  it('is not that another start of its job waits', () => {
    expect(createHaltTeller().tell(waits('Priority'), at(0))).toBeUndefined();
  });
});
