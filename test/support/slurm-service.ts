/** `abaco up` on the test cluster: a tenant whose tokens are minted here, people of the directory, and the queue `hpc`. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AbacoUp, runAbaco, startAbacoUp } from './abaco-up.ts';
import type { Cluster } from './cluster.ts';
import { makeTestDirectory } from './test-directory.ts';
import { makeTestKey } from './tokens.ts';
import { until } from './until.ts';

export interface SlurmService extends AsyncDisposable {
  readonly site: string;
  up(): AbacoUp;
  /** Killed without warning, and started again on the same data. */
  restart(): Promise<void>;
  tokenOf(user: string): Promise<string>;
  /** The `result` of an answer. Rejects with the message of one that is not well. */
  ask<T>(path: string, body?: object, token?: string, method?: string): Promise<T>;
  /** @returns the id of an actor in the queue `hpc`. */
  register(more?: object, token?: string): Promise<string>;
  /** @returns the id of its execution. */
  send(actor: string, message: string, token?: string): Promise<string>;
  told(actor: string, execution: string, token?: string): Promise<ToldExecution>;
  untilEnded(actor: string, execution: string, token?: string): Promise<ToldExecution>;
  logOf(actor: string, execution: string, token?: string): Promise<string>;
}

export interface ToldExecution {
  readonly status: string;
  readonly exit_code: number;
  readonly end: string;
  readonly end_detail?: string;
  readonly node?: string;
  readonly accounting?: { readonly job_id: string; readonly nodes: string };
  readonly wait?: { readonly cause: string; readonly owner: string };
}

export interface SlurmServiceOptions {
  readonly image: string;
  /** Lines of the launcher's table. */
  readonly launcher?: string;
  /** More of the site file. */
  readonly more?: string;
}

/** Tokens are alice's where nobody else is named. */
export async function startSlurmService(cluster: Cluster, options: SlurmServiceOptions): Promise<SlurmService> {
  const directory = await makeTestDirectory('slurm');
  await writeFile(join(directory.path, 'key.pem'), makeTestKey().privatePem, { mode: 0o600 });
  const site = join(directory.path, 'site.toml');
  await writeFile(site, siteFile(cluster, options));
  let up = await startAbacoUp({ ABACO_CONFIG: site });
  const tokenOf = async (user: string): Promise<string> =>
    (await runAbaco(['token', 'mint', '--config', site, '--user', user])).output.trim();
  const alice = await tokenOf('alice');

  async function ask<T>(path: string, body?: object, token = alice, method = 'POST'): Promise<T> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = body ? { method, headers, body: JSON.stringify(body) } : { headers };
    const answer = await fetch(`${up.url}/actors/v2${path}`, init);
    const { result, message } = (await answer.json()) as { readonly result: T; readonly message: string };
    if (!answer.ok) throw new Error(message);
    return result;
  }

  const told: SlurmService['told'] = async (actor, execution, token) =>
    await ask<ToldExecution>(`/${actor}/executions/${execution}`, undefined, token);

  return {
    site,
    up: () => up,
    async restart() {
      await up.child.stop('SIGKILL');
      up = await startAbacoUp({ ABACO_CONFIG: site }, up.dataDir);
    },
    tokenOf,
    ask,
    register: async (more = {}, token) =>
      (await ask<{ readonly id: string }>('', { image: options.image, queue: 'hpc', ...more }, token)).id,
    send: async (actor, message, token) =>
      (await ask<{ readonly execution_id: string }>(`/${actor}/messages`, { message }, token)).execution_id,
    told,
    untilEnded: async (actor, execution, token) =>
      await until(
        async () => {
          const now = await told(actor, execution, token);
          return now.status === 'COMPLETE' || now.status === 'ERROR' ? now : undefined;
        },
        { timeoutMs: 120_000, everyMs: 100, what: 'the execution to end' },
      ),
    logOf: async (actor, execution, token) =>
      (await ask<{ readonly logs: string }>(`/${actor}/executions/${execution}/logs`, undefined, token)).logs,
    [Symbol.asyncDispose]: async () => {
      await up[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

function siteFile(cluster: Cluster, { launcher = 'poll = "500ms"', more = '' }: SlurmServiceOptions): string {
  return `
[auth]
default_tenant = "LAB"
[tenants.LAB]
development_key_file = "key.pem"
[queues.hpc]
launcher = "hpc"
who = "user"
[launchers.hpc]
kind = "slurm"
host = "${cluster.login}"
user = "abaco"
key_file = "${cluster.keyFile}"
known_hosts_file = "${cluster.knownHostsFile}"
directory = "/lustre/abaco"
work = "/lustre/{username}/.abaco"
${launcher}
[directory]
url = "${cluster.directory.url}"
ca_file = "${cluster.directory.caFile}"
people = "ou=people,dc=example,dc=org"
groups = "ou=groups,dc=example,dc=org"
keep = "100ms"
[registries."${cluster.registry}"]
insecure = true
${more}`;
}
