/** What an actor asks of a cluster, over HTTP: what is taken, what is refused and when, and what waits. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, runAbaco, startAbacoUp } from '../support/abaco-up.ts';
import { type Cluster, canRunCluster, startCluster } from '../support/cluster.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { makeTestKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const canRun = (await canRunCluster()) && requireService('redis', await programAvailable('redis-server'));

/** Its message is the script it runs. */
const localImage = 'abaco-test-slurm-resources:1';
const caseMs = 240_000;

interface Told {
  readonly status: string;
  readonly exit_code: number;
  readonly end: string;
  readonly end_detail?: string;
  readonly wait?: { readonly cause: string; readonly owner: string };
}

describe.runIf(canRun)('an actor that asks for resources', () => {
  let cluster: Cluster;
  let directory: TestDirectory;
  let up: AbacoUp;
  let image: string;
  let site: string;
  let alice: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await ensureProgramImage(localImage, 'exec sh -c "$MSG"');
    image = await cluster.push(localImage);
    directory = await makeTestDirectory('slurm-resources');
    await writeFile(join(directory.path, 'key.pem'), makeTestKey().privatePem, { mode: 0o600 });
    site = join(directory.path, 'site.toml');
    await writeFile(
      site,
      `
[auth]
default_tenant = "LAB"
[tenants.LAB]
development_key_file = "key.pem"
[workers]
max_queued = 3
[queues.hpc]
launcher = "hpc"
who = "user"
[queues.short]
launcher = "hpc"
who = "user"
partitions = ["debug"]
max_walltime = "10m"
max_nodes = 1
[launchers.hpc]
kind = "slurm"
host = "${cluster.login}"
user = "abaco"
key_file = "${cluster.keyFile}"
known_hosts_file = "${cluster.knownHostsFile}"
directory = "/lustre/abaco"
work = "/lustre/{username}/.abaco"
poll = "500ms"
margin = "50s"
[directory]
url = "${cluster.directory.url}"
ca_file = "${cluster.directory.caFile}"
people = "ou=people,dc=example,dc=org"
groups = "ou=groups,dc=example,dc=org"
[registries."${cluster.registry}"]
insecure = true
`,
    );
    up = await startAbacoUp({ ABACO_CONFIG: site });
    alice = (await runAbaco(['token', 'mint', '--config', site, '--user', 'alice'])).output.trim();
  }, 600_000);

  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
    await removeProgramImage(localImage);
    await cluster[Symbol.asyncDispose]();
  }, 120_000);

  async function ask<T>(path: string, body?: object, method = 'POST'): Promise<T> {
    const headers = { authorization: `Bearer ${alice}`, 'content-type': 'application/json' };
    const init = body ? { method, headers, body: JSON.stringify(body) } : { headers };
    const answer = await fetch(`${up.url}/actors/v2${path}`, init);
    const { result, message } = (await answer.json()) as { readonly result: T; readonly message: string };
    if (!answer.ok) throw new Error(message);
    return result;
  }

  interface Registered {
    readonly id: string;
    readonly resources?: object;
  }
  const register = async (resources: object, changes: object = {}): Promise<Registered> =>
    await ask<Registered>('', { image, queue: 'hpc', resources, ...changes });
  const send = async (actor: string, message: string): Promise<string> =>
    (await ask<{ readonly execution_id: string }>(`/${actor}/messages`, { message })).execution_id;
  const told = async (actor: string, execution: string): Promise<Told> =>
    await ask<Told>(`/${actor}/executions/${execution}`);
  const untilEnded = async (actor: string, execution: string): Promise<Told> =>
    await until(
      async () => {
        const now = await told(actor, execution);
        return now.status === 'COMPLETE' || now.status === 'ERROR' ? now : undefined;
      },
      { timeoutMs: 150_000, everyMs: 200, what: 'the execution to end' },
    );

  it(
    'is shown what it asked for, and asks for something else once it is replaced',
    async () => {
      const { id, resources } = await register({ nodes: '2', wallTime: 90, memory: '1 GiB', partition: 'normal' });
      const asked = { nodes: 2, memory: '1g', walltime: '01:30:00', partition: 'normal' };
      expect(resources).toEqual(asked);
      expect((await ask<Registered>(`/${id}`)).resources).toEqual(asked);
      const replaced = await ask<Registered>(`/${id}`, { image, queue: 'hpc', resources: { cpus: 2 } }, 'PUT');
      expect(replaced.resources).toEqual({ cpus: 2 });
      const none = await ask<Registered>(`/${id}`, { image, queue: 'hpc' }, 'PUT');
      expect(none).not.toHaveProperty('resources');
    },
    caseMs,
  );

  it.each([
    [{ partition: 'gpu' }, {}, '"partition" is "gpu"; this cluster has debug, normal'],
    [{ account: 'gold' }, {}, '"account" is "gold"; user "alice" may charge science, small'],
    [{ nodes: 3 }, {}, '"nodes" is 3; partition "normal" gives 2'],
    [{ partition: 'normal' }, { queue: 'short' }, '"partition" is "normal"; queue "short" allows debug'],
    [{ walltime: 20 }, { queue: 'short' }, '"walltime" is 20m; queue "short" allows 10m at most'],
    [{ gpus: 1 }, { queue: 'default' }, 'launcher "local" has no GPUs to give; leave "gpus" away'],
    [{ walltime: 'long' }, {}, '"walltime" is "long"; it has to be minutes'],
  ])(
    'is refused at registration where %j can never be, with what can',
    async (resources, changes, problem) => {
      await expect(register(resources, changes)).rejects.toThrow(`Invalid actor description: resources: ${problem}`);
    },
    caseMs,
  );

  it(
    'ends at once, with the words of Slurm, where Slurm refuses what was taken at registration',
    async () => {
      const { id } = await register({ reservation: 'nobody-knows' });
      const end = await untilEnded(id, await send(id, 'true'));
      expect(end).toMatchObject({ status: 'ERROR', end: 'launch-failed' });
      expect(end.end_detail).toBe(
        'Slurm refuses the job: Batch job submission failed: Requested reservation is invalid',
      );
    },
    caseMs,
  );

  it(
    'waits, and says for what, where its account has as many jobs as it may',
    async () => {
      const { id } = await register({ account: 'small' });
      const ids = await Promise.all(Array.from({ length: 4 }, async () => await send(id, 'sleep 15')));
      const waiting = await until(
        async () => {
          const all = await Promise.all(ids.map(async (each) => await told(id, each)));
          return all.find(({ wait }) => wait?.cause.includes('AssocMaxSubmitJobLimit'))?.wait;
        },
        { timeoutMs: 60_000, everyMs: 100, what: 'the limit to be told' },
      );
      expect(waiting).toMatchObject({ owner: 'scheduler' });
      // The launcher stays open for all others.
      const other = await register({});
      expect(await untilEnded(other.id, await send(other.id, 'true'))).toMatchObject({ status: 'COMPLETE' });
      for (const each of ids) expect(await untilEnded(id, each)).toMatchObject({ status: 'COMPLETE', exit_code: 0 });
    },
    caseMs,
  );

  it(
    'has no more handed over at once than max_queued',
    async () => {
      const { id } = await register({ walltime: 2 });
      const ids = await Promise.all(Array.from({ length: 7 }, async () => await send(id, 'sleep 3')));
      let most = 0;
      const ended = Promise.all(ids.map(async (each) => await untilEnded(id, each)));
      let isOver = false;
      void ended.finally(() => {
        isOver = true;
      });
      while (!isOver) {
        const jobs = await cluster.exec('controller', 'squeue -h -r -u alice -t PD,R,CF');
        most = Math.max(most, jobs.split('\n').filter((line) => line !== '').length);
      }
      expect((await ended).map(({ status }) => status)).toEqual(ids.map(() => 'COMPLETE'));
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(3);
    },
    caseMs,
  );

  it(
    'is told to end before its walltime, and has ended for that',
    async () => {
      const { id } = await register({ walltime: 1 });
      const execution = await send(id, 'trap "echo told; exit 0" TERM; while :; do sleep 1; done');
      expect(await untilEnded(id, execution)).toMatchObject({ end: 'time-limit' });
      expect((await ask<{ readonly logs: string }>(`/${id}/executions/${execution}/logs`)).logs).toContain('told\n');
    },
    caseMs,
  );

  it(
    'can be rehearsed from the command line',
    async () => {
      const { id } = await register({ nodes: 2, walltime: 5 });
      const env = { ABACO_TOKEN: alice, ABACO_URL: up.url };
      const flags = ['launchers', 'dry-run', '--config', site, '--json'];
      const dry = await runAbaco([...flags, id], { env });
      expect(dry.exitCode).toBe(0);
      const answer = JSON.parse(dry.output) as { readonly answer: string; readonly files: Record<string, string> };
      expect(answer).toMatchObject({ launcher: 'hpc', accepted: true });
      expect(answer.answer).toContain('to start at');
      expect(answer.files['job.sh']).toContain('#SBATCH --nodes=2\n#SBATCH --ntasks=2\n');
      const asked = ['--image', image, '--user', 'alice', '--queue', 'hpc', '--resources', 'partition=gpu', 'nodes=1'];
      const refused = await runAbaco([...flags, ...asked]);
      expect(refused.exitCode).toBe(1);
      expect(JSON.parse(refused.output)).toMatchObject({
        problem: '"partition" is "gpu"; this cluster has debug, normal',
        accepted: false,
      });
    },
    caseMs,
  );
});
