/** The demo on a supercomputer, from the build of its images to nothing being left: all of docker-compose.slurm.yml. */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startChild } from '../support/child.ts';
import { canRunCluster } from '../support/cluster.ts';
import { madeOnEngine } from '../support/docker.ts';
import { packageRoot } from '../support/package-root.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
/** Its images may have to be built first; how long each step may take is for the demo to say. */
const demoMs = 900_000;

const docker = async (...args: readonly string[]): Promise<string> =>
  (await run('docker', [...args], { cwd: packageRoot })).stdout.trim();

/** Of an installation beside any other on this machine, which may be a user's. */
async function settingsOf(project: string, directory: string): Promise<Record<string, string>> {
  const site = join(directory, 'site.toml');
  const text = await readFile(join(packageRoot, 'images/cluster/site.toml'), 'utf8');
  await writeFile(site, text.replace('abaco-slurm_default', `${project}_default`));
  return { COMPOSE_PROJECT_NAME: project, ABACO_PORT: '0', ABACO_SITE: site };
}

/** Its id, as soon as its service is up. */
async function installationOf(project: string): Promise<string | undefined> {
  const shown = 'cat "$ABACO_SERVICE_DATA_DIR/installation.json"';
  const compose = ['compose', '-p', project, '-f', 'docker-compose.slurm.yml'];
  const mark: unknown = JSON.parse(await docker(...compose, 'exec', '-T', 'api', 'sh', '-c', shown));
  return (mark as { readonly installationId?: string }).installationId;
}

/** What Compose has of an installation. */
async function leftOf(project: string): Promise<readonly string[]> {
  const ours = ['-q', '--filter', `label=com.docker.compose.project=${project}`];
  const lists = await Promise.all([
    docker('ps', '-a', ...ours),
    docker('volume', 'ls', ...ours),
    docker('network', 'ls', ...ours),
  ]);
  return lists.flatMap((list) => list.split('\n')).filter((name) => name !== '');
}

describe.runIf(await canRunCluster())('the demo on a supercomputer', () => {
  const project = `abaco-test-demo-${randomUUID().slice(0, 8)}`;
  let directory: TestDirectory;

  beforeEach(async () => {
    directory = await makeTestDirectory('demo-slurm');
  });

  afterEach(async () => {
    const env = { ...process.env, COMPOSE_PROJECT_NAME: project };
    await run('sh', ['scripts/cluster-down.sh'], { cwd: packageRoot, env });
    await directory[Symbol.asyncDispose]();
  }, 120_000);

  it('takes down no installation that is there already', { timeout: 60_000 }, async () => {
    const volume = `${project}_service`;
    await docker('volume', 'create', '--label', `com.docker.compose.project=${project}`, volume);
    const env = { ...process.env, COMPOSE_PROJECT_NAME: project };
    const demo = run('sh', ['scripts/demo-slurm.sh', '--once'], { cwd: packageRoot, env });
    await expect(demo).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`"${project}" is there already`) as string,
    });
    expect(await leftOf(project)).toEqual([volume]);
    await docker('volume', 'rm', volume);
  });

  it('shows everything, checks it, and leaves nothing', { timeout: demoMs }, async () => {
    const env = await settingsOf(project, directory.path);
    await using demo = await startChild('sh', ['scripts/demo-slurm.sh', '--once'], { cwd: packageRoot, env });
    let output = '';
    demo.process.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const timeoutMs = demoMs - 20_000;
    let installation: string | undefined;
    await until(
      async () => {
        installation ??= await installationOf(project).catch(() => undefined);
        return installation !== undefined || demo.exited();
      },
      { timeoutMs, everyMs: 1_000, what: 'the service' },
    );
    await until(() => demo.exited(), { timeoutMs, what: 'the demo to end' });
    expect({ exitCode: demo.process.exitCode, output: demo.output() }).toMatchObject({ exitCode: 0 });
    expect(output).not.toContain('\u001b');
    for (const right of [
      'ok: both counted 10 words',
      'ok: it ran as alice',
      'ok: 30 executions are COMPLETE',
      'ok: its end is "time-limit"',
    ]) {
      expect(output).toContain(right);
    }
    expect(output).toMatch(/slurm {2}RUNNING(?: on c[12])?$/m);
    expect(await leftOf(project)).toEqual([]);
    expect(installation).toMatch(/^\w+$/);
    expect(await madeOnEngine(installation ?? '')).toEqual([]);
  });
});
