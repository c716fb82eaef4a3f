/** What a launcher that knows its cluster is asked at registration, and that its no is the answer. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ResourceQuestion } from '../../../src/launcher/launcher.ts';
import { ask } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import type { LauncherBench } from '../../support/launcher-contract.ts';
import { makeMockBench } from '../../support/mock-bench.ts';

const mib = 1_048_576;

let api: ApiService;
let bench: LauncherBench;
/** Stands for what a cluster knows; nothing before it has said anything. */
let facts: ((asked: ResourceQuestion) => string | undefined) | undefined;

beforeAll(async () => {
  bench = await makeMockBench();
  const mock = await bench.open();
  const launcher = {
    ...mock,
    capabilities: { ...mock.capabilities, queues: true },
    check: (asked: ResourceQuestion) => facts?.(asked),
  };
  api = await startApiService({
    launchers: [{ name: 'hpc', place: 'hpc', launcher }],
    siteFile: `
[limits]
memory = "512 MiB"
nano_cpus = 1500000000
[launchers.hpc]
kind = "mock"
[queues.hpc]
launcher = "hpc"
who = "user"
accounts = ["TG-123"]
`,
  });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

beforeEach(() => {
  facts = undefined;
});

const register = (more: object = {}) =>
  ask(api.app, 'POST /actors', { json: { image: 'debian', queue: 'hpc', ...more } });

describe('an actor of a queue whose cluster knows', () => {
  it.each([{}, { resources: { cpus: 1 } }])(
    'whom it may charge is refused where it may not, asking %j',
    async (more) => {
      facts = ({ owner, resources }) => `"account" is "${resources.account ?? ''}"; user "${owner}" may charge none`;
      const { status, message } = await register(more);
      expect(status).toBe(400);
      expect(message).toBe(
        'Invalid actor description: resources: "account" is "TG-123"; user "anonymous" may charge none',
      );
    },
  );

  it('how large its nodes are is told the limits of the site, or of the actor', async () => {
    const asked: ResourceQuestion['limits'][] = [];
    facts = ({ limits }) => void asked.push(limits);
    await register();
    const made = await register({ mem_limit: '64g', max_cpus: 4e9 });
    expect(asked).toMatchObject([
      { memoryBytes: 512 * mib, nanoCpus: 1.5e9 },
      { memoryBytes: 65_536 * mib, nanoCpus: 4e9 },
    ]);
    const { id } = made.result as { readonly id: string };
    facts = () => 'too large';
    const updated = await ask(api.app, `PUT /actors/${id}`, { json: { image: 'debian', queue: 'hpc' } });
    expect(updated.message).toBe('Invalid actor description: resources: too large');
  });

  it('nothing yet is accepted', async () => {
    expect((await register({ resources: { nodes: 1 } })).status).toBe(200);
    expect((await register()).status).toBe(200);
  });
});
