import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Wait } from '../../../src/executions/execution.ts';
import { readEvents } from '../../support/api-events.ts';
import { ask, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { listenOnLoopback } from '../../support/api-socket.ts';
import { takeMessage } from '../../support/api-worker.ts';

let api: ApiService;

beforeAll(async () => {
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

interface ShownWait {
  readonly cause: string;
  readonly since: string;
  readonly age_ms: number;
  readonly owner: string;
  readonly next: string;
}

async function waitOf(actorId: string, executionId: string): Promise<ShownWait> {
  const { result } = await ask(api.app, `GET /actors/${actorId}/executions/${executionId}`);
  return (result as { readonly wait: ShownWait }).wait;
}

const trouble: Wait = { cause: 'The engine is away', since: new Date(0), owner: 'operator', next: 'Start it' };

describe('an execution that has not started', () => {
  it('says why with cause, age, owner and next step', async () => {
    const id = await registerActor(api);
    const wait = await waitOf(id, await sendMessage(api, id));
    expect(wait).toEqual({
      cause: 'No worker serves the actor',
      since: expect.stringMatching(/Z$/) as string,
      age_ms: expect.any(Number) as number,
      owner: 'service',
      next: 'A worker starts as soon as a host has room',
    });
  });

  it('waits for the image of its actor, for the registry, and for its user where the image is bad', async () => {
    const actorId = await registerActor(api, {}, { ready: false });
    const execution = await sendMessage(api, actorId);
    expect((await waitOf(actorId, execution)).cause).toBe('Image "debian:trixie-slim" is being prepared');
    const actor = { tenant: 'DEV', actorId };
    await api.services.actors.markWaiting(actor, 1, { ...trouble, cause: 'Registry is away', owner: 'registry' });
    expect(await waitOf(actorId, execution)).toMatchObject({ cause: 'Registry is away', owner: 'registry' });
    await api.services.actors.markError(actor, 1, 'Image "debian:trixie-slim" is not in its registry');
    const wait = await waitOf(actorId, execution);
    expect(wait).toMatchObject({ owner: 'user' });
    expect(wait.cause).toContain('is not in its registry');
  });

  it('waits for the previous message of a stateful actor', async () => {
    const id = await registerActor(api, { stateless: false });
    const first = await sendMessage(api, id);
    const second = await sendMessage(api, id);
    await takeMessage(api, id);
    expect((await waitOf(id, second)).cause).toBe(`Execution "${first}" of the same stateful actor has not ended`);
  });

  it('waits for what its worker has noted, and what was noted of the message before it', async () => {
    const id = await registerActor(api);
    const [first, second] = [await sendMessage(api, id), await sendMessage(api, id)];
    const { claimed } = await takeMessage(api, id);
    await api.services.mailbox.noteWait(claimed.lease, trouble, false);
    expect(await waitOf(id, first)).toMatchObject({ cause: 'The engine is away', since: '1970-01-01T00:00:00.000Z' });
    await api.services.mailbox.giveBack(claimed.lease, trouble);
    for (const execution of [first, second]) expect((await waitOf(id, execution)).cause).toBe('The engine is away');
  });

  it('tells the wait, and every change of it, in its events', async () => {
    const port = await listenOnLoopback(api.app);
    const actorId = await registerActor(api, {}, { ready: false });
    const execution = await sendMessage(api, actorId);
    await using events = await readEvents(`http://127.0.0.1:${port}/actors/${actorId}/executions/${execution}/events`);
    const causeIs = (cause: string) =>
      events.find(({ data }) => (data['wait'] as ShownWait | undefined)?.cause === cause);
    await causeIs('Image "debian:trixie-slim" is being prepared');
    await api.services.actors.markReady({ tenant: 'DEV', actorId }, 1, 'sha256:x');
    await causeIs('No worker serves the actor');
    const played = await takeMessage(api, actorId);
    await played.start();
    const running = await events.find(({ data }) => data['status'] === 'RUNNING');
    expect(running.data).not.toHaveProperty('wait');
    await played.end();
  });
});

describe('an execution that runs or has ended', () => {
  it('waits for nothing', async () => {
    const id = await registerActor(api);
    const execution = await sendMessage(api, id);
    const played = await takeMessage(api, id);
    await api.services.mailbox.noteWait(played.claimed.lease, trouble, false);
    await played.start();
    expect(await waitOf(id, execution)).toBeUndefined();
    await played.end();
    expect(await waitOf(id, execution)).toBeUndefined();
  });
});
