/**
 * What is asked of slurmctld while jobs wait: remote procedure calls of our users by its own count (`sdiag`), over 60
 * intervals of a second, with 1, 100 and 500 jobs. Queries have to be as many for 500 as for one; what a submission costs
 * is counted beside it.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { startCluster } from '../test/support/cluster.ts';
import { ensureProgramImage, removeProgramImage } from '../test/support/program-image.ts';
import { startSlurmService } from '../test/support/slurm-service.ts';
import { until } from '../test/support/until.ts';
import { perSecond, report } from './rounds.ts';

const localImage = 'abaco-bench-rpcs:1';
const counts = [1, 100, 500] as const;
const intervals = 60;

await using cluster = await startCluster();
await ensureProgramImage(localImage, 'true');
const image = await cluster.push(localImage);
await removeProgramImage(localImage);
await using service = await startSlurmService(cluster, { image, launcher: 'poll = "1s"' });
const actor = await service.register();
await service.untilEnded(actor, await service.send(actor, 'x'));

// What cannot start waits, and is asked about as long as it does.
await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
const asked = new Map<number, number>();
let waiting = 0;
for (const count of counts) {
  const before = await callsOfOurs();
  await perSecond(count - waiting, 16, async (index) => void (await service.send(actor, `message ${index}`)));
  waiting = count;
  await until(async () => (await jobsWaiting()) === count, { timeoutMs: 120_000, everyMs: 500, what: `${count} jobs` });
  const submitted = await callsOfOurs();
  await pause(intervals * 1_000);
  const queries = (await callsOfOurs()) - submitted;
  asked.set(count, queries);
  console.log(
    `slurm-rpcs  ${count} jobs: ${queries} calls in ${intervals} intervals, ${submitted - before} while they were handed over`,
  );
}
report('slurm-rpcs', (asked.get(500) ?? 0) / (asked.get(1) ?? 1));

async function jobsWaiting(): Promise<number> {
  return (await cluster.exec('controller', 'squeue -h -r -u alice -t PD')).split('\n').filter((line) => line !== '')
    .length;
}

/** Of the service account and of the owner; what this bench asks by itself it asks as root. */
async function callsOfOurs(): Promise<number> {
  const told = await cluster.exec('controller', 'sdiag');
  const users = told.slice(told.indexOf('statistics by user'));
  const counted = [...users.matchAll(/^\s*(\S+)\s+\(\s*\d+\)\s+count:(\d+)/gm)];
  return counted
    .filter(([, user]) => user === 'abaco' || user === 'alice')
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}
