/** What the demo does, step by step. Each step checks what came back and throws when it is not right. */

import { readFile } from 'node:fs/promises';
import { type ExecutionAnswer, hasEnded, isRecord, parseExecution } from '../../src/client/answer.ts';
import { executionColumns } from '../../src/client/execution-table.ts';
import { renderTable } from '../../src/client/output.ts';
import { pause } from '../../src/lib/backoff.ts';
import { check, textIn } from './checks.ts';
import { countWords } from './count-words.ts';
import { type DemoRequest, renderCurl, renderCurlLoop, sendRequest } from './curl.ts';
import type { Stage } from './stage.ts';

export interface Show {
  readonly stage: Stage;
  readonly url: string;
  readonly signal: AbortSignal;
}

interface Ran {
  readonly name: string;
  readonly actorId: string;
  readonly executions: readonly ExecutionAnswer[];
}

const textFile = 'LICENSE';
const parallelMessages = 20;
const countedMessages = 5;
const endMs = 120_000;

export async function showAll(show: Show): Promise<void> {
  const wordCount = await registerWordCount(show);
  const first = await countFile(show, wordCount);
  const many = await sendInParallel(show, wordCount);
  const counted = await keepState(show);
  showExecutions(show, [{ name: 'word-count', actorId: wordCount, executions: [first, ...many] }, counted]);
}

async function registerWordCount(show: Show): Promise<string> {
  show.stage.step('Register an image. It is an actor now, and has a mailbox');
  const request = { path: '/actors/v2', json: { image: 'abaco/word-count', name: 'word-count' } };
  return textIn(await perform(show, request, ['id', 'image', 'status']), 'id');
}

async function countFile(show: Show, actorId: string): Promise<ExecutionAnswer> {
  const { stage } = show;
  stage.step(`Send it a message, the text of ${textFile}. One container runs for it`);
  const request = { path: `/actors/v2/${actorId}/messages`, message: { file: textFile } };
  const executionId = textIn(await perform(show, request, ['execution_id']), 'execution_id');
  const execution = await awaitEnd(show, actorId, executionId);
  const path = `/actors/v2/${actorId}/executions/${executionId}`;
  await perform(show, { path }, ['status', 'exit_code', 'start_time', 'finish_time']);
  await perform(show, { path: `${path}/logs` }, ['logs']);
  const words = (await performRaw(show, { path: `${path}/results` })).trim();
  const expected = countWords(await readFile(textFile, 'utf8'));
  check(isWell(execution), `the execution ended as ${describe(execution)}`);
  check(words === String(expected), `the result is "${words}", and ${textFile} has ${expected} words`);
  stage.right(`${textFile} has ${expected} words; counted here too`);
  return execution;
}

async function sendInParallel(show: Show, actorId: string): Promise<readonly ExecutionAnswer[]> {
  const { stage, url } = show;
  stage.step(`Send ${parallelMessages} messages at once`);
  const path = `/actors/v2/${actorId}/messages`;
  stage.command(renderCurlLoop(url, { path, message: 'this is message $n' }, parallelMessages));
  const texts = Array.from({ length: parallelMessages }, (_, index) => `this is message ${index + 1}`);
  const ids = await Promise.all(texts.map((message) => post(show, { path, message })));
  check(new Set(ids).size === parallelMessages, `${parallelMessages} messages became ${new Set(ids).size} executions`);
  stage.answer(`${parallelMessages} times {"execution_id": …}`);
  const executions = await awaitEnds(show, actorId, ids);
  const results = await Promise.all(ids.map((id) => takeResult(show, actorId, id)));
  check(executions.every(isWell), `not every execution ended well: ${executions.map(describe).join(', ')}`);
  check(
    results.every((result) => result === '3'),
    `not every result is 3: ${results.join(', ')}`,
  );
  stage.right(`${parallelMessages} executions are COMPLETE, each found its 3 words`);
  return executions;
}

async function keepState(show: Show): Promise<Ran> {
  const { stage, url } = show;
  stage.step(
    `Register an actor with a state, and send it ${countedMessages} messages: they run one at a time, in order`,
  );
  const json = { image: 'abaco/counter', name: 'counter', stateless: false };
  const actorId = textIn(await perform(show, { path: '/actors/v2', json }, ['id', 'image', 'stateless']), 'id');
  const path = `/actors/v2/${actorId}/messages`;
  stage.command(renderCurlLoop(url, { path, message: 'again' }, countedMessages));
  const ids = await Promise.all(Array.from({ length: countedMessages }, () => post(show, { path, message: 'again' })));
  stage.answer(`${countedMessages} times {"execution_id": …}`);
  const executions = await awaitEnds(show, actorId, ids);
  check(executions.every(isWell), `not every execution ended well: ${executions.map(describe).join(', ')}`);
  const result = await perform(show, { path: `/actors/v2/${actorId}/state` }, ['state']);
  const state = isRecord(result) ? result['state'] : undefined;
  const count = isRecord(state) ? state['count'] : undefined;
  check(count === countedMessages, `the state is ${JSON.stringify(state)} after ${countedMessages} messages`);
  stage.right(`the state is ${countedMessages} after ${countedMessages} messages`);
  return { name: 'counter', actorId, executions };
}

function showExecutions({ stage, url }: Show, ran: readonly Ran[]): void {
  stage.step('What ran');
  for (const { actorId } of ran) stage.command(renderCurl(url, { path: `/actors/v2/${actorId}/executions` }));
  const executions = ran.flatMap(({ name, executions: own }) => own.map((execution) => ({ ...execution, name })));
  const columns = [{ title: 'actor', text: ({ name }: { readonly name: string }) => name }, ...executionColumns];
  stage.text('');
  stage.answer(renderTable(columns, executions, stage.screen));
  check(executions.every(hasUsage), 'an execution has neither CPU time nor memory');
}

/** Shows the line, sends the same, shows what of the result matters. @returns the result of the envelope. */
async function perform(show: Show, request: DemoRequest, attributes: readonly string[]): Promise<unknown> {
  show.stage.command(renderCurl(show.url, request));
  const { result, message } = await ask(show, request);
  show.stage.answer(excerpt(result, message, attributes));
  return result;
}

/** For answers without an envelope. */
async function performRaw(show: Show, request: DemoRequest): Promise<string> {
  show.stage.command(renderCurl(show.url, request));
  const { body } = await sendRequest(show.url, request);
  show.stage.answer(body);
  return body;
}

async function ask({ url }: Show, request: DemoRequest): Promise<{ result: unknown; message: unknown }> {
  const { status, body } = await sendRequest(url, request);
  check(status === 200, `${request.path} answered ${status}: ${body}`);
  const envelope: unknown = JSON.parse(body);
  check(isRecord(envelope), `${request.path} answered ${body}`);
  return { result: envelope['result'], message: envelope['message'] };
}

async function post(show: Show, request: DemoRequest): Promise<string> {
  return textIn((await ask(show, request)).result, 'execution_id');
}

async function takeResult({ url }: Show, actorId: string, executionId: string): Promise<string> {
  const { body } = await sendRequest(url, { path: `/actors/v2/${actorId}/executions/${executionId}/results` });
  return body.trim();
}

async function awaitEnds(show: Show, actorId: string, ids: readonly string[]): Promise<readonly ExecutionAnswer[]> {
  let ended = 0;
  const tell = (): void => show.stage.progress(`${ended} of ${ids.length} have ended`);
  tell();
  const ends = ids.map(async (id) => {
    const execution = await awaitEnd(show, actorId, id);
    ended += 1;
    tell();
    return execution;
  });
  return await Promise.all(ends);
}

async function awaitEnd(show: Show, actorId: string, executionId: string): Promise<ExecutionAnswer> {
  const deadline = performance.now() + endMs;
  for (;;) {
    const { result } = await ask(show, { path: `/actors/v2/${actorId}/executions/${executionId}` });
    const execution = parseExecution(result);
    if (hasEnded(execution)) return execution;
    const why = execution.wait === undefined ? '' : `; it waits for: ${execution.wait.cause}`;
    check(
      performance.now() < deadline,
      `execution ${executionId} is ${execution.status} after ${endMs / 1_000} s${why}`,
    );
    await pause(100, show.signal);
    show.signal.throwIfAborted();
  }
}

/** The attributes that matter; that others were left out is shown. */
function excerpt(result: unknown, message: unknown, attributes: readonly string[]): string {
  if (!isRecord(result)) return JSON.stringify({ message, result });
  const chosen = attributes.filter((name) => name in result);
  const lines = chosen.map((name) => `  ${JSON.stringify(name)}: ${renderValue(result[name])}`);
  if (chosen.length < Object.keys(result).length) lines.push('  …');
  return `${String(message)}\n{\n${lines.join(',\n')}\n}`;
}

/** JSON, but for a text of several lines, which is shown as it is. */
function renderValue(value: unknown): string {
  if (typeof value !== 'string' || !value.includes('\n')) return JSON.stringify(value);
  return `\n${value.trimEnd().replaceAll(/^/gm, '    ')}`;
}

function isWell({ status, exitCode }: ExecutionAnswer): boolean {
  return status === 'COMPLETE' && exitCode === 0;
}

function hasUsage({ cpuMs, maxMemoryBytes }: ExecutionAnswer): boolean {
  return cpuMs !== undefined && (maxMemoryBytes ?? 0) > 0;
}

function describe({ id, status, end, exitCode }: ExecutionAnswer): string {
  return `${id} ${status} ${end ?? ''} (exit code ${exitCode ?? 'none'})`;
}
