/** The demo as a newcomer runs it, from its first line to nothing being left. */

import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { spawn as spawnTerminal } from 'node-pty';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.ts';
import { dockerAvailable, madeOnEngine } from '../support/docker.ts';
import { packageRoot } from '../support/package-root.ts';
import { requireService } from '../support/services.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const demoMs = 100_000;

async function startDemo(...args: readonly string[]): Promise<Child & { readonly text: () => string }> {
  const child = await startChild('sh', ['scripts/demo.sh', ...args], { cwd: packageRoot });
  let text = '';
  child.process.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return Object.assign(child, { text: () => text });
}

const homes = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('abaco-demo-'));

/** Id of the installation of the demo that runs, which has a home that was not there before. */
async function installationBeside(before: readonly string[]): Promise<string> {
  const marks = (): readonly string[] =>
    homes()
      .filter((home) => !before.includes(home))
      .map((home) => join(tmpdir(), home, 'data', 'installation.json'))
      .filter((file) => existsSync(file));
  await until(() => marks().length > 0, { timeoutMs: demoMs, what: 'the service of the demo' });
  const mark: unknown = JSON.parse(readFileSync(marks()[0] ?? '', 'utf8'));
  return (mark as { readonly installationId: string }).installationId;
}

/** Lines to type, as they stand after the prompt. */
const commandsIn = (text: string): readonly string[] =>
  [...text.matchAll(/^ {3}\$ (.+)$/gm)].map(([, command = '']) => command);

describe.runIf(requireService('docker', await dockerAvailable()))('the demo', () => {
  let taken: Server | undefined;
  let homesBefore: readonly string[];

  beforeAll(() => {
    homesBefore = homes();
    // The usual port is taken, by this or by something else.
    taken = createServer()
      .on('error', () => undefined)
      .listen(8000, '127.0.0.1');
  });

  afterAll(() => {
    taken?.close();
  });

  it('shows everything, checks it, and leaves nothing', { timeout: demoMs }, async () => {
    await using demo = await startDemo('--once');
    const installation = await installationBeside(homesBefore);
    await until(() => demo.exited(), { timeoutMs: demoMs, what: 'the demo to end' });
    const text = demo.text();
    expect({ exitCode: demo.process.exitCode, output: demo.output() }).toMatchObject({ exitCode: 0 });
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('http://127.0.0.1:8000/');
    expect(text).toMatch(/ok: LICENSE has \d+ words; counted here too/);
    expect(text).toContain('ok: 20 executions are COMPLETE, each found its 3 words');
    expect(text).toContain('"state": {"count":5}');
    expect(text.match(/^ {3}[\w-]+ +\w+ +COMPLETE .*MiB$/gm)).toHaveLength(26);
    expect(text).toMatch(/http:\/\/127\.0\.0\.1:\d+\/docs/);
    expect(homes()).toEqual(homesBefore);
    expect(await madeOnEngine(installation)).toEqual([]);
  });

  it('prints lines that work when they are typed, and drains at Ctrl-C', { timeout: demoMs }, async () => {
    await using demo = await startDemo();
    const installation = await installationBeside(homesBefore);
    await until(() => demo.text().includes('It stays up until Ctrl-C') || demo.exited(), { timeoutMs: demoMs });
    const commands = commandsIn(demo.text());
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands.filter((line) => !line.endsWith('/results'))) {
      const { stdout } = await run('sh', ['-c', command], { cwd: packageRoot });
      expect(JSON.parse(stdout.split('}{')[0] + (stdout.includes('}{') ? '}' : ''))).toMatchObject({
        status: 'success',
      });
    }
    demo.process.kill('SIGTERM');
    await until(() => demo.exited(), { timeoutMs: 60_000, what: 'the demo to end' });
    expect(demo.process.exitCode).toBe(0);
    expect(demo.text()).toContain('Stopping the service');
    expect(homes()).toEqual(homesBefore);
    expect(await madeOnEngine(installation)).toEqual([]);
  });

  it('says at Ctrl-C what it waits for, and ends at once and clean at another', { timeout: demoMs }, async () => {
    const terminal = spawnTerminal('sh', ['scripts/demo.sh'], { cwd: packageRoot, env: process.env });
    let text = '';
    terminal.onData((piece) => {
      text += piece;
    });
    const { promise: ended, resolve } = Promise.withResolvers<unknown>();
    terminal.onExit(resolve);
    const installation = await installationBeside(homesBefore);
    await until(() => text.includes('It stays up until Ctrl-C'), { timeoutMs: demoMs, what: 'the demo to stay up' });
    const url = /abaco up → (http:\S+)/.exec(text)?.[1] ?? '';
    await startScript(url, 'sleep 80');
    terminal.write('\u0003');
    await until(() => text.includes('Waits up to 30 s for 1 execution; Ctrl-C again ends it now'), {
      timeoutMs: 10_000,
    });
    const since = performance.now();
    terminal.write('\u0003');
    expect(await ended).toMatchObject({ exitCode: 130 });
    expect(performance.now() - since).toBeLessThan(15_000);
    expect(homes()).toEqual(homesBefore);
    expect(await madeOnEngine(installation)).toEqual([]);
  });
});

/** Resolves when it runs. */
async function startScript(url: string, script: string): Promise<void> {
  const ask = async (
    path: string,
    body?: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(
      `${url}/actors/v2${path}`,
      body && { method: 'POST', headers, body: JSON.stringify(body) },
    );
    return ((await answer.json()) as { result: Readonly<Record<string, string>> }).result;
  };
  const { id: actor } = await ask('', { image: 'abaco/script' });
  const { execution_id: execution, executionId = execution } = await ask(`/${actor}/messages`, { message: script });
  const isRunning = async (): Promise<boolean> =>
    (await ask(`/${actor}/executions/${executionId}`))['status'] === 'RUNNING';
  await until(isRunning, { timeoutMs: 20_000, what: 'the script to run' });
}
