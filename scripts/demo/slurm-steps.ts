/** What the demo on a supercomputer does, step by step. Each step checks what came back and throws when it is not right. */

import { type ExecutionAnswer, hasEnded, isRecord, parseExecution } from '../../src/client/answer.ts';
import { pause } from '../../src/lib/backoff.ts';
import { check, textIn } from './checks.ts';
import { type DemoRequest, renderCurl, sendRequest } from './curl.ts';
import type { DemoCluster } from './demo-cluster.ts';
import type { Stage } from './stage.ts';

export interface SlurmShow {
  readonly stage: Stage;
  readonly cluster: DemoCluster;
  readonly signal: AbortSignal;
}

const sentence = 'to be or not to be, that is the question';
const words = '10';
const burst = 30;
/** How many go together depends on when they come; never is it each by itself. */
const mostSubmissions = burst / 3;
const endMs = 180_000;
const listJobs = 'sacct -u alice -X -n -P -o JobID';

export async function showSlurm(show: SlurmShow): Promise<void> {
  await sameMessage(show);
  const script = await register(show, { image: 'registry:5000/script', queue: 'hpc', name: 'script' });
  await whoRunsIt(show, script);
  await asArrays(show, script);
  await beyondWalltime(show, script);
  await whatItCost(show);
}

async function sameMessage(show: SlurmShow): Promise<void> {
  const { stage, cluster } = show;
  stage.step('Register the word count twice: for the engine of this machine, and for the cluster');
  const places = [
    ['docker', await register(show, { image: 'abaco/word-count' })],
    ['slurm', await register(show, { image: 'registry:5000/word-count', queue: 'hpc' })],
  ] as const;
  stage.step('Send the same message to both. On the cluster its image is built once, then it is a job');
  const ran = await Promise.all(
    places.map(async ([place, actor]) => {
      const id = await send(show, actor, sentence);
      return { place, actor, id, execution: await follow(show, actor, id, place) };
    }),
  );
  for (const { place, actor, id, execution } of ran) {
    const path = `/actors/v2/${actor}/executions/${id}`;
    const log = await logOf(show, actor, id);
    const { body } = await sendRequest(cluster.url, { path: `${path}/results`, token: cluster.token });
    stage.text(`\n   ${place}, on ${execution.node ?? 'nowhere'}:`);
    stage.answer(log);
    check(execution.exitCode === 0, `${place} ended with ${execution.exitCode ?? 'nothing'}`);
    check(body.trim() === words, `the result of ${place} is "${body.trim()}"`);
  }
  stage.right(`both counted ${words} words`);
}

async function whoRunsIt(show: SlurmShow, actor: string): Promise<void> {
  const { stage, cluster } = show;
  stage.step('Ask the program who it is, and let it write a file');
  const id = await send(
    show,
    actor,
    'id; hostname; echo "written by a message" >/lustre/hello; echo no >/data/no || true',
  );
  const execution = await follow(show, actor, id, 'slurm');
  const log = await logOf(show, actor, id);
  stage.answer(log);
  stage.command('ls -l /lustre/alice/hello    # on the login node');
  const listed = await cluster.login('ls -l /lustre/alice/hello');
  stage.answer(listed);
  check(/ alice +science /.test(listed), `the file is not alice's: ${listed}`);
  stage.command('sacct -u alice -X -o JobID,User,State,Elapsed,NodeList | tail -1');
  stage.answer(await cluster.login('sacct -u alice -X -n -o JobID,User,State,Elapsed,NodeList | tail -1'));
  check(execution.status === 'COMPLETE', `it ended as ${execution.status}`);
  check(/uid=10001\(alice\)/.test(log), 'it did not run as alice');
  check(/\/data\/no: Read-only file system/.test(log), 'it was not kept from writing to /data');
  const kept = await cluster.login('ls /data');
  check(!kept.split('\n').includes('no'), `there is a file "no" in /data: ${kept}`);
  stage.right('it ran as alice, and wrote where alice may; what is mounted read-only stayed as it is');
}

async function asArrays(show: SlurmShow, actor: string): Promise<void> {
  const { stage, cluster } = show;
  stage.step(`Send ${burst} messages at once: those that come together are handed over together, as an array`);
  const earlier = new Set(await jobsOf(cluster));
  const ids = await Promise.all(
    Array.from({ length: burst }, async (_, index) => await send(show, actor, `echo ${index}`)),
  );
  let ended = 0;
  const executions = await Promise.all(
    ids.map(async (id) => {
      const execution = await awaitEnd(show, actor, id);
      ended += 1;
      stage.progress(`${ended} of ${burst} have ended`);
      return execution;
    }),
  );
  check(
    executions.every(({ exitCode }) => exitCode === 0),
    'not every one of them ended with 0',
  );
  const jobs = await accounted(show, earlier);
  check(jobs.length === burst, `${burst} messages became ${jobs.length} jobs`);
  const submissions = new Set(jobs.map((job) => job.split('_')[0]));
  stage.command(`${listJobs} | sed 's/_.*//' | uniq -c    # elements, and the array they are in`);
  stage.answer(await cluster.login(`${listJobs} | sed 's/_.*//' | uniq -c`));
  check(submissions.size <= mostSubmissions, `they were handed over in ${submissions.size} submissions`);
  stage.right(`${burst} executions are COMPLETE; calls of sbatch for them: ${submissions.size}`);
}

async function jobsOf(cluster: DemoCluster): Promise<readonly string[]> {
  return (await cluster.login(listJobs)).split('\n').filter((job) => job !== '');
}

/** The jobs that were not there earlier: the accounting hears of each a moment later. */
async function accounted({ cluster, signal }: SlurmShow, earlier: ReadonlySet<string>): Promise<readonly string[]> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const jobs = (await jobsOf(cluster)).filter((job) => !earlier.has(job));
    if (jobs.length >= burst || performance.now() > deadline) return jobs;
    await pause(500, signal);
    signal.throwIfAborted();
  }
}

async function beyondWalltime(show: SlurmShow, actor: string): Promise<void> {
  const { stage } = show;
  stage.step('Send a message that takes longer than its walltime: it is told to end in time');
  const script = 'trap "echo told to end; exit 5" TERM; sleep 600 & wait';
  const id = await send(show, actor, script);
  const execution = await follow(show, actor, id, 'slurm');
  const log = await logOf(show, actor, id);
  stage.answer(log);
  check(execution.end === 'time-limit', `it ended as ${execution.end ?? execution.status}`);
  check(log.includes('told to end'), 'it was not told to end');
  stage.right(`its end is "${execution.end}", and it had time to say so`);
}

async function whatItCost({ stage, cluster }: SlurmShow): Promise<void> {
  stage.step('What all of this asked of Slurm');
  stage.command('sdiag    # remote procedure calls, by user');
  const told = await cluster.login("sdiag | sed -n '/statistics by user/,/^$/p' | grep -E 'abaco|alice'");
  stage.answer(told);
  check(/alice/.test(told), 'nothing was asked');
}

async function register(show: SlurmShow, json: object): Promise<string> {
  const request = { path: '/actors/v2', json, token: show.cluster.token };
  show.stage.command(renderCurl(show.cluster.url, request));
  const result = await ask(show, request);
  const id = textIn(result, 'id');
  show.stage.answer(`{"id": "${id}", …}`);
  return id;
}

async function send(show: SlurmShow, actor: string, message: string): Promise<string> {
  const request = { path: `/actors/v2/${actor}/messages`, message, token: show.cluster.token };
  return textIn(await ask(show, request), 'execution_id');
}

async function logOf(show: SlurmShow, actor: string, id: string): Promise<string> {
  const path = `/actors/v2/${actor}/executions/${id}/logs`;
  const result = await ask(show, { path, token: show.cluster.token });
  return isRecord(result) ? String(result['logs']) : '';
}

/** Says each thing that changes, as it changes. */
async function follow(show: SlurmShow, actor: string, id: string, place: string): Promise<ExecutionAnswer> {
  let said = '';
  return await awaitEnd(show, actor, id, (execution) => {
    const why = execution.wait === undefined ? '' : `: ${execution.wait.cause}`;
    const now = `${execution.status}${whereOf(execution)}${why}`;
    if (now !== said) show.stage.answer(`${place.padEnd(6)} ${now}`);
    said = now;
  });
}

/** What has begun before Slurm was asked where is on a node that is not known yet. */
function whereOf({ status, node = 'unknown' }: ExecutionAnswer): string {
  return status === 'RUNNING' && node !== 'unknown' ? ` on ${node}` : '';
}

async function awaitEnd(
  show: SlurmShow,
  actor: string,
  id: string,
  onLook: (execution: ExecutionAnswer) => void = () => undefined,
): Promise<ExecutionAnswer> {
  const deadline = performance.now() + endMs;
  for (;;) {
    const path = `/actors/v2/${actor}/executions/${id}`;
    const execution = parseExecution(await ask(show, { path, token: show.cluster.token }));
    onLook(execution);
    if (hasEnded(execution)) return execution;
    check(performance.now() < deadline, `execution ${id} is ${execution.status} after ${endMs / 1_000} s`);
    await pause(250, show.signal);
    show.signal.throwIfAborted();
  }
}

async function ask({ cluster }: SlurmShow, request: DemoRequest): Promise<unknown> {
  const { status, body } = await sendRequest(cluster.url, request);
  check(status === 200, `${request.path} answered ${status}: ${body}`);
  const envelope: unknown = JSON.parse(body);
  check(isRecord(envelope), `${request.path} answered ${body}`);
  return envelope['result'];
}
