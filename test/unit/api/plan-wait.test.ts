import { describe, expect, it } from 'vitest';
import type { Actor } from '../../../src/actors/actor.ts';
import { planHeldWait, planWait, type WaitFacts } from '../../../src/api/plan-wait.ts';
import type { Execution, Wait } from '../../../src/executions/execution.ts';

const receivedAt = new Date('2026-01-01T00:00:10Z');
const execution = { id: 'E9', actorId: 'A', state: 'submitted', receivedAt } as unknown as Execution;
const actor = {
  id: 'A',
  image: 'debian',
  status: 'ready',
  statusMessage: ' ',
  stateless: true,
  maxWorkers: null,
  lastUpdateTime: new Date('2026-01-01T00:00:00Z'),
} as unknown as Actor;
const noted: Wait = { cause: 'noted', since: new Date(0), owner: 'operator', next: 'then' };

function waitOf(facts: Partial<WaitFacts>, of: Partial<Execution> = {}): Wait {
  return planWait(
    { ...execution, ...of },
    {
      actor,
      ahead: 0,
      firstWait: undefined,
      launcherWait: undefined,
      heldIds: [],
      mostHeld: 2,
      workers: 1,
      now: new Date(receivedAt.getTime() + 1_000),
      ...facts,
    },
  );
}

describe('planHeldWait', () => {
  it('shows what the worker has noted, else that it is being started', () => {
    expect(planHeldWait({ ...execution, wait: noted, workerId: 'W' })).toBe(noted);
    const starting = { cause: 'Worker "W" is starting it', owner: 'service', since: receivedAt };
    expect(planHeldWait({ ...execution, workerId: 'W' })).toMatchObject(starting);
  });
});

describe('planWait', () => {
  it('shows the trouble of an actor in ERROR, which its user can mend', () => {
    const broken = { ...actor, status: 'error', statusMessage: 'Image "x" is not there' } as const;
    const wait = waitOf({ actor: broken, firstWait: noted });
    expect(wait).toMatchObject({ cause: 'Actor "A" is in ERROR: Image "x" is not there', owner: 'user' });
    expect(wait.next).toContain('"force"');
  });

  it('shows that an image is being prepared, since the message or the update came, whichever was later', () => {
    const fresh = { ...actor, status: 'submitted' } as const;
    expect(waitOf({ actor: fresh })).toMatchObject({ cause: 'Image "debian" is being prepared', since: receivedAt });
    const lastUpdateTime = new Date('2026-01-01T00:00:20Z');
    expect(waitOf({ actor: { ...fresh, lastUpdateTime } }).since).toBe(lastUpdateTime);
    expect(waitOf({ actor: { ...fresh, wait: noted } })).toBe(noted);
  });

  it('says that a message of an actor that is being deleted will be cancelled', () => {
    expect(waitOf({ actor: { ...actor, status: 'shutting_down' } }).next).toBe('It ends as cancelled');
  });

  it('shows why its launcher takes nothing, or why the message before it was given back', () => {
    expect(waitOf({ launcherWait: noted })).toBe(noted);
    expect(waitOf({ firstWait: noted, ahead: 3 })).toBe(noted);
  });

  it('names the execution that a stateful actor runs first', () => {
    const stateful = { ...actor, stateless: false };
    const wait = waitOf({ actor: stateful, mostHeld: 1, heldIds: ['E1'], ahead: 2 });
    expect(wait.cause).toBe(
      'Execution "E1" of the same stateful actor has not ended, and 2 messages stand before this one',
    );
    expect(wait.owner).toBe('user');
  });

  it('counts what runs of a stateless actor; its limit is its own or that of the operator', () => {
    const facts = { heldIds: ['E1', 'E2'], ahead: 1 };
    expect(waitOf(facts)).toMatchObject({
      cause: '2 of at most 2 executions of the actor run now, and 1 message stands before this one',
      owner: 'operator',
    });
    expect(waitOf({ ...facts, actor: { ...actor, maxWorkers: 2 } }).owner).toBe('user');
  });

  it('says that there is no worker, and after half a minute that an operator should look', () => {
    expect(waitOf({ workers: 0 })).toMatchObject({ cause: 'No worker serves the actor', owner: 'service' });
    const now = new Date(receivedAt.getTime() + 31_000);
    expect(waitOf({ workers: 0, now })).toMatchObject({ owner: 'operator' });
  });

  it('counts the messages before it where workers are about to take them', () => {
    expect(waitOf({ ahead: 4 }).cause).toBe('4 messages stand before it');
    expect(waitOf({}).cause).toBe('A worker is about to take it');
  });
});
