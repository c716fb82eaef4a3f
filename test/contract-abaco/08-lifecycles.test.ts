/**
 * Contract §8 as a client sees it, on the whole service with the real engine: actors, executions and workers from their
 * first status to the last. A deletion that is complete says so; one that took 20 s would say that it goes on.
 *
 * Not here: what happens when processes die (e2e/crash.test.ts), several failed starts (unit/workers/run-execution.test.ts), the order of
 * stateful actors (test/support/mailbox-contract.ts), cron's next time (12-cron.test.ts). The original's autoscaler,
 * health agent and queues (§§8.4–8.6) are its own machinery: here an actor keeps one ready worker as far as its host has
 * room, and more come with messages and go without them. A worker begins as READY. One that was asked for and that no
 * host has room for has no id yet by which it could be read or stopped: it is counted (`requested_workers`, and what the
 * next request says) and not listed as REQUESTED.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, startAbacoUp } from '../support/abaco-up.ts';
import { dockerAvailable, nativeAvailable } from '../support/docker.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { startRegistry, type TestRegistry } from '../support/registry-server.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';

const runs = [
  requireService('redis', await programAvailable('redis-server')),
  requireService('docker', await dockerAvailable()),
  requireService('native', await nativeAvailable()),
  requireService('registry', await programAvailable('docker-registry')),
].every(Boolean);

const [image, other] = ['abaco-test-lifecycle:1', 'abaco-test-lifecycle:2'];

let directory: TestDirectory;
let registry: TestRegistry;
let up: AbacoUp;

beforeAll(async () => {
  if (!runs) return;
  await ensureProgramImage(image, 'sh -c "$MSG"');
  await ensureProgramImage(other, 'echo the other');
  registry = await startRegistry();
  directory = await makeTestDirectory('lifecycles');
  const site = join(directory.path, 'site.toml');
  await writeFile(site, '[executions]\ngrace = "500ms"\n[workers]\nsweep = "500ms"\n');
  up = await startAbacoUp({ ABACO_CONFIG: site });
});

afterAll(async () => {
  await up?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  await directory?.[Symbol.asyncDispose]();
  if (runs) for (const name of [image, other]) await removeProgramImage(name);
});

interface Answer {
  readonly status: number;
  readonly message: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- the wire is untyped; a wrong shape fails the test that reads it
  readonly result: any;
}

async function call(line: string, json?: object): Promise<Answer> {
  const [method = 'GET', path = ''] = line.split(' ');
  const body = json && { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${up.url}${path}`, { method, ...body });
  const { message, result } = (await answer.json()) as Omit<Answer, 'status'>;
  return { status: answer.status, message, result };
}

async function untilStatus(path: string, status: string, timeoutMs = 15_000): Promise<Answer> {
  const last = async () => await call(`GET ${path}`);
  return await until(
    async () => {
      const answer = await last();
      return answer.result?.status === status ? answer : undefined;
    },
    { timeoutMs, what: `${status} of ${path}` },
  );
}

async function register(settings: object = {}): Promise<string> {
  const { result } = await call('POST /actors', { image, ...settings });
  await untilStatus(`/actors/${result.id}`, 'READY');
  return result.id as string;
}

async function send(actor: string, message: string): Promise<string> {
  const { result } = await call(`POST /actors/${actor}/messages`, { message });
  return `/actors/${actor}/executions/${result.execution_id as string}`;
}

const logOf = async (execution: string): Promise<string> => (await call(`GET ${execution}/logs`)).result.logs;

describe.runIf(runs)('§8.1 an actor', () => {
  it('is SUBMITTED, and READY within seconds without any message', async () => {
    const { result } = await call('POST /actors', { image });
    expect(result.status).toBe('SUBMITTED');
    const ready = await untilStatus(`/actors/${result.id}`, 'READY', 5_000);
    expect(ready.result.status_message).toBe(' ');
  });

  it('whose image its registry lacks is ERROR with a sentence that names it, keeps messages, and runs them by an update', async () => {
    const missing = `${registry.address}/no/such:image`;
    const { result } = await call('POST /actors', { image: missing });
    const failed = await untilStatus(`/actors/${result.id}`, 'ERROR');
    expect(failed.result.status_message).toContain(missing);
    const execution = await send(result.id as string, 'echo late $_abaco_actor_revision');
    const updated = await call(`PUT /actors/${result.id}`, { image });
    expect(updated.result).toMatchObject({ status: 'SUBMITTED', revision: 2 });
    await untilStatus(execution, 'COMPLETE');
    // The revision is the message's (§9.2), the image the one of the update (§8.2).
    expect(await logOf(execution)).toBe('late 1\n');
    expect((await call(`GET /actors/${result.id}`)).result).toMatchObject({ status: 'READY', status_message: ' ' });
  });

  it('that is updated runs its next message with the new image, on workers of it', async () => {
    const actor = await register();
    await untilStatus(await send(actor, 'echo first'), 'COMPLETE');
    await call(`PUT /actors/${actor}`, { image: other });
    const execution = await send(actor, 'echo second');
    await untilStatus(execution, 'COMPLETE');
    expect(await logOf(execution)).toBe('the other\n');
    const { result } = await call(`GET /actors/${actor}/workers`);
    for (const worker of result as { image: string }[]) expect(worker.image).toBe(other);
  });
});

describe.runIf(runs)('§8.1 an execution', () => {
  it('is SUBMITTED, RUNNING and COMPLETE, also with another exit code than 0', async () => {
    const actor = await register({ stateless: false });
    const first = await send(actor, 'sleep 1; exit 3');
    const second = await send(actor, 'true');
    await untilStatus(first, 'RUNNING');
    expect((await call(`GET ${second}`)).result.status).toBe('SUBMITTED');
    expect((await untilStatus(first, 'COMPLETE')).result.exit_code).toBe(3);
    await untilStatus(second, 'COMPLETE');
  });

  it('that runs is halted within two seconds, is COMPLETE then, and the next message runs', async () => {
    const actor = await register({ stateless: false });
    const execution = await send(actor, 'sleep 600');
    const next = await send(actor, 'echo next');
    await untilStatus(execution, 'RUNNING');
    const halted = await call(`DELETE ${execution}`);
    expect(halted.message).toBe(`Issued force quit command for execution ${execution.split('/').at(-1) ?? ''}.`);
    await untilStatus(execution, 'COMPLETE', 2_000);
    await untilStatus(next, 'COMPLETE');
    expect(await logOf(next)).toBe('next\n');
  });

  it('that waits is not halted but purged, and is COMPLETE then, while what runs goes on', async () => {
    const actor = await register({ stateless: false });
    const running = await send(actor, 'sleep 1');
    const waiting = await send(actor, 'true');
    await untilStatus(running, 'RUNNING');
    const refused = await call(`DELETE ${waiting}`);
    expect(refused.status).toBe(400);
    expect(refused.message).toContain('Execution was found in status: SUBMITTED');
    await call(`DELETE /actors/${actor}/messages`);
    expect((await call(`GET ${waiting}`)).result.status).toBe('COMPLETE');
    expect((await untilStatus(running, 'COMPLETE')).result.exit_code).toBe(0);
  });
});

describe.runIf(runs)('§8.1 a worker', () => {
  it('is BUSY while it runs a message, and READY where more were asked for than there are messages', async () => {
    const actor = await register();
    await call(`POST /actors/${actor}/workers`, { num: 2 });
    const execution = await send(actor, 'sleep 2');
    await untilStatus(execution, 'RUNNING');
    const statuses = await until(
      async () => {
        const { result } = await call(`GET /actors/${actor}/workers`);
        return result.length === 2 ? (result as { status: string }[]).map(({ status }) => status) : undefined;
      },
      { timeoutMs: 10_000, what: 'two workers' },
    );
    expect(statuses.toSorted()).toEqual(['BUSY', 'READY']);
  });
});

describe.runIf(runs)('§7.4 a deletion', () => {
  it('of an actor that does nothing leaves nothing to be cleaned up', async () => {
    const actor = await register();
    await untilStatus(await send(actor, 'true'), 'COMPLETE');
    expect((await call(`DELETE /actors/${actor}`)).message).toBe('Actor deleted successfully.');
  });

  it('asks what runs to end, waits for it, and leaves nobody with the actor', async () => {
    const actor = await register({ stateless: false });
    const execution = await send(actor, 'sleep 600');
    await untilStatus(execution, 'RUNNING');
    expect((await call(`DELETE /actors/${actor}`)).message).toBe('Actor deleted successfully.');
    expect((await call(`GET /actors/${actor}`)).status).toBe(404);
  });
});
