/**
 * 200 messages that do nothing to one actor, HTTP to settled, against one hand-written array of the same `apptainer exec`
 * on the same cluster, submitted and waited for on the login node.
 */

import { startCluster } from '../test/support/cluster.ts';
import { ensureProgramImage, removeProgramImage } from '../test/support/program-image.ts';
import { startSlurmService } from '../test/support/slurm-service.ts';
import { until } from '../test/support/until.ts';
import { compare, perSecond, report } from './rounds.ts';

const localImage = 'abaco-bench-burst:1';
const messages = 200;
const rounds = 3;

await using cluster = await startCluster();
await ensureProgramImage(localImage, 'true');
const image = await cluster.push(localImage);
await removeProgramImage(localImage);
await using service = await startSlurmService(cluster, { image, launcher: 'poll = "1s"' });
const actor = await service.register();
// The image is built before anything is measured.
await service.untilEnded(actor, await service.send(actor, 'x'));
const token = await service.tokenOf('alice');
// A cluster that is kept from one run to the next may have images of others.
const sif = (await cluster.exec('login', 'ls -t /lustre/abaco/images/*.sif | head -n 1')).trim();
await writePlainScript();
report('slurm-burst', await compare('slurm-burst', rounds, { ours, plain }));

async function ours(): Promise<number> {
  const started = performance.now();
  const ids: string[] = [];
  await perSecond(messages, 32, async (index) => {
    ids.push(await service.send(actor, `message ${index}`));
  });
  // Its events end with an execution; asking again and again would cost the processors that are measured.
  await Promise.all(
    ids.map(async (id) => {
      const url = `${service.up().url}/actors/v2/${actor}/executions/${id}/events`;
      await (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).text();
    }),
  );
  const rate = (messages / (performance.now() - started)) * 1_000;
  for (const id of ids) {
    const { status, exit_code: exitCode } = await service.told(actor, id);
    if (status !== 'COMPLETE' || exitCode !== 0) throw new Error(`Execution "${id}" ended as ${status}, ${exitCode}`);
  }
  return rate;
}

async function writePlainScript(): Promise<void> {
  const lines = [
    '#!/bin/sh',
    '#SBATCH --output=/dev/null',
    '#SBATCH --time=10',
    `exec apptainer --silent exec --containall --no-home ${sif} /bin/sh -c true`,
    '',
  ];
  await cluster.exec('login', `printf '%s' '${lines.join('\n')}' >/lustre/alice/plain.sh`);
}

async function plain(): Promise<number> {
  const asAlice = 'setpriv --reuid 10001 --regid 20000 --init-groups';
  const started = performance.now();
  const submitted = await cluster.exec(
    'login',
    `${asAlice} sbatch --parsable --array=0-${messages - 1} /lustre/alice/plain.sh`,
  );
  const job = submitted.trim();
  await until(
    async () => (await cluster.exec('login', `squeue -h -j ${job} -t PD,R,CG,CF 2>/dev/null || true`)) === '',
    {
      timeoutMs: 600_000,
      everyMs: 250,
      what: 'the array to end',
    },
  );
  const rate = (messages / (performance.now() - started)) * 1_000;
  const states = await cluster.exec('login', `sacct -n -X -j ${job} -o State%20 | sort | uniq -c`);
  // By itself one in a hundred fails where many mount their images at once; it took its time all the same.
  const counts = [...states.matchAll(/(\d+)\s+(\w+)/g)].map(([, count, state]) => ({ count: Number(count), state }));
  const ended = counts.filter(({ state }) => state === 'COMPLETED' || state === 'FAILED');
  const total = ended.reduce((sum, { count }) => sum + count, 0);
  const failed = ended.find(({ state }) => state === 'FAILED')?.count ?? 0;
  if (total !== messages || failed > messages / 20) throw new Error(`The array ended as:\n${states}`);
  if (failed > 0) console.log(`slurm-burst: ${failed} of the plain ones failed`);
  return rate;
}
