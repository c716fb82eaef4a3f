/** Messages end to end, HTTP to settled, against a loop of the same `docker run`, as many at a time. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startAbacoUp } from '../test/support/abaco-up.ts';
import { ensureProgramImage, removeProgramImage } from '../test/support/program-image.ts';
import { compare, perSecond, report } from './rounds.ts';

const run = promisify(execFile);
const image = 'abaco-bench-launch:1';
const messages = 48;
const rounds = 5;
/** As many as `workers.per_actor` of the service below. */
const underWay = 4;

await ensureProgramImage(image, 'echo "$MSG"');
try {
  await using up = await startAbacoUp({ ABACO_WORKERS_PER_ACTOR: String(underWay) });
  const actor = String((await call('/actors', { image }))['id']);
  await ours();
  await plain();
  report('docker-launch', await compare('docker-launch', rounds, { ours, plain }));

  async function call(path: string, body: object): Promise<Readonly<Record<string, unknown>>> {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(up.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return ((await answer.json()) as { readonly result: Readonly<Record<string, unknown>> }).result;
  }

  /** From the first request until every execution has ended. */
  async function ours(): Promise<number> {
    const started = performance.now();
    const ids: string[] = [];
    await perSecond(messages, underWay, async (index) => {
      const result = await call(`/actors/${actor}/messages`, { message: `message ${index}` });
      ids.push(String(result['execution_id']));
    });
    for (const id of ids) await untilEnded(`${up.url}/actors/${actor}/executions/${id}`);
    return (messages / (performance.now() - started)) * 1_000;
  }
} finally {
  await removeProgramImage(image);
}

/** Its events end with it; asking again and again would cost the processors that are measured. */
async function untilEnded(url: string): Promise<void> {
  await (await fetch(`${url}/events`)).text();
  const answer = await (await fetch(url)).text();
  if (!answer.includes('"COMPLETE"')) throw new Error(`${url} did not end well: ${answer}`);
}

async function plain(): Promise<number> {
  return await perSecond(messages, underWay, async (index) => {
    await run('docker', ['run', '--rm', '-e', `MSG=message ${index}`, image]);
  });
}
