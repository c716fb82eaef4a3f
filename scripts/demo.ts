/**
 * The demo, once the machine is ready (demo.sh): starts a service, shows messages running in real containers, and stays
 * up until it is interrupted, or ends at once with `--once`. Exit code 0 only when everything it showed was right.
 */

import { parseArgs } from 'node:util';
import { createScreen } from '../src/client/screen.ts';
import { asError } from '../src/errors.ts';
import { type DemoService, drainSeconds, startService } from './demo/demo-service.ts';
import { createStage } from './demo/stage.ts';
import { showAll } from './demo/steps.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const stage = createStage(createScreen({ output: process.stdout, errors: process.stderr }));
const leaving = new AbortController();
const { signal } = leaving;
let service: DemoService | undefined;

let isForced = false;

/** The first one ends the demo and drains the service, another one forces it. */
function leave(): void {
  if (signal.aborted) {
    isForced = true;
    void service?.stop();
  }
  leaving.abort();
}
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, leave);

const exitCode = await demonstrate();
process.exitCode = isForced ? 130 : exitCode;

async function demonstrate(): Promise<number> {
  try {
    stage.title('Starting a service: API, workers and stores in one process');
    service = await startService(signal);
    stage.answer(`abaco up → ${service.url}`);
    await showAll({ stage, url: service.url, signal });
    stage.title(`The API describes itself at ${service.url}/docs`);
    if (!values.once) await stayUp(service);
    return 0;
  } catch (thrown) {
    if (signal.aborted) return 130;
    stage.screen.note(`\ndemo: ${asError(thrown).message}`);
    return 1;
  } finally {
    if (service !== undefined) {
      stage.text('\nStopping the service');
      await Promise.all([service.stop(), sayWhatItWaitsFor(service)]);
    }
  }
}

/** Nothing where nothing runs: then it ends at once, and may be gone before it answers. */
async function sayWhatItWaitsFor(stopped: DemoService): Promise<void> {
  const count = await stopped.running().catch(() => 0);
  if (count === 0 || isForced) return;
  const executions = count === 1 ? '1 execution' : `${count} executions`;
  stage.text(`Waits up to ${drainSeconds} s for ${executions}; Ctrl-C again ends it now`);
}

async function stayUp({ ended }: DemoService): Promise<void> {
  stage.text('It stays up until Ctrl-C; try the lines above.');
  const { promise: left, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return;
  signal.addEventListener('abort', () => resolve());
  await Promise.race([left, ended]);
  if (!signal.aborted) throw new Error('The service has ended by itself');
}
