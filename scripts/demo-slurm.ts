/**
 * The demo on a supercomputer, once its installation is up (demo-slurm.sh). Exit code 0 only when everything it showed was
 * right.
 */

import { parseArgs } from 'node:util';
import { createScreen } from '../src/client/screen.ts';
import { asError } from '../src/errors.ts';
import { openCluster } from './demo/demo-cluster.ts';
import { showSlurm } from './demo/slurm-steps.ts';
import { createStage } from './demo/stage.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const stage = createStage(createScreen({ output: process.stdout, errors: process.stderr }));
const leaving = new AbortController();
const { signal } = leaving;
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => leaving.abort());

process.exitCode = await demonstrate();

async function demonstrate(): Promise<number> {
  try {
    stage.title('A service, an engine, and a supercomputer of two nodes');
    const cluster = await openCluster(stage);
    await showSlurm({ stage, cluster, signal });
    stage.title(`The API describes itself at ${cluster.url}/docs`);
    if (!values.once) await stayUp();
    return 0;
  } catch (thrown) {
    if (signal.aborted) return 130;
    stage.screen.note(`\ndemo: ${asError(thrown).message}`);
    return 1;
  }
}

async function stayUp(): Promise<void> {
  stage.text('It stays up until Ctrl-C; try the lines above.');
  const { promise, resolve } = Promise.withResolvers<void>();
  // A signal alone keeps nothing alive.
  const alive = setInterval(() => undefined, 60_000);
  if (signal.aborted) resolve();
  signal.addEventListener('abort', () => resolve());
  await promise;
  clearInterval(alive);
}
