/** The client's verbs against a real service: what they print, what they leave, and their exit codes. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, runAbaco, startAbacoUp } from '../support/abaco-up.ts';
import { dockerAvailable, nativeAvailable } from '../support/docker.ts';
import { freePort } from '../support/free-port.ts';
import { programAvailable } from '../support/program.ts';
import { ensureProgramImage, removeProgramImage } from '../support/program-image.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';

const canRun =
  requireService('docker', await dockerAvailable()) &&
  requireService('native', await nativeAvailable()) &&
  requireService('redis', await programAvailable('redis-server'));

/** Its message is the script it runs; a binary message comes back as its result. */
const image = 'abaco-test-cli:1';
const program = 'if [ -n "${MSG+set}" ]; then exec sh -c "$MSG"; else /_abaco/bin/result /_abaco_binary_data; fi';

describe.runIf(canRun)('the client', () => {
  let up: AbacoUp;
  const abaco: AbacoUp['abaco'] = (args, options) => up.abaco(args, options);

  beforeAll(async () => {
    await ensureProgramImage(image, program);
    up = await startAbacoUp();
  });

  afterAll(async () => {
    await up[Symbol.asyncDispose]();
    await removeProgramImage(image);
  });

  async function ask(path: string, init?: RequestInit): Promise<unknown> {
    const answer = await fetch(`${up.url}${path}`, init);
    return ((await answer.json()) as { result: unknown }).result;
  }

  async function register(): Promise<string> {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ image }) };
    return ((await ask('/actors/v2', init)) as { id: string }).id;
  }

  const actors = async () => (await ask('/actors/v2')) as readonly { id: string; name: string | null }[];

  describe('run', () => {
    it('prints log and result, gives the exit code of the program and leaves no actor', async () => {
      const script = 'echo to stdout; echo to stderr >&2; echo 42 | /_abaco/bin/result; exit 3';
      expect(await abaco(['run', image, '-m', script])).toMatchObject({
        exitCode: 3,
        output: 'to stdout\nto stderr\n42\n',
        errors: '',
      });
      expect((await actors()).filter(({ name }) => name?.startsWith('abaco-run'))).toEqual([]);
    });

    it('gives variables to the program', async () => {
      const { output } = await abaco(['run', image, '-m', 'echo "$SIZE/$NAME"', '-e', 'SIZE=1 0', '-e', 'NAME=a=b']);
      expect(output).toBe('1 0/a=b\n');
    });

    it('sends standard input as it is, and brings bytes back as they are', async () => {
      const input = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
      const { bytes, exitCode } = await abaco(['run', image, '-f', '-'], { input });
      expect(exitCode).toBe(0);
      expect(bytes.equals(Buffer.from(input))).toBe(true);
    });

    it('writes results to a file', async () => {
      await using directory = await makeTestDirectory('cli');
      const [sent, got] = [join(directory.path, 'sent'), join(directory.path, 'got')];
      writeFileSync(sent, 'a\0b');
      expect(await abaco(['run', image, '-f', sent, '-o', got])).toMatchObject({
        exitCode: 0,
        output: '',
        errors: `1 result written to ${got}\n`,
      });
      expect(readFileSync(got, 'latin1')).toBe('a\0b');
    });

    it('shows the log while the program runs', async () => {
      const { promise: finished, resolve } = Promise.withResolvers<void>();
      let shown = '';
      const kept = abaco(['run', image, '--keep', '-m', 'echo early; until [ -e /tmp/go ]; do usleep 10000; done'], {
        onStart: (kill) => void finished.then(() => kill('SIGINT')),
        onOutput: (text) => {
          shown += text;
        },
      });
      const actor = await until(async () => (await actors()).find(({ name }) => name === 'abaco-run'), {
        timeoutMs: 20_000,
      });
      const execution = await until(async () => {
        const found = (await ask(`/actors/v2/${actor.id}/executions`)) as { executions: { id: string }[] };
        return found.executions[0]?.id;
      });
      await until(async () => (await abaco(['logs', actor.id, execution])).output === 'early\n', { timeoutMs: 20_000 });
      await until(() => shown === 'early\n', { timeoutMs: 20_000, what: 'the log' });
      resolve();
      expect(await kept).toMatchObject({ exitCode: 130, output: 'early\n' });
      const ended = () =>
        ask(`/actors/v2/${actor.id}/executions/${execution}`) as Promise<{ status: string; end: string }>;
      await until(async () => (await ended()).status === 'COMPLETE', { timeoutMs: 20_000, what: 'the cancelled end' });
      expect((await ended()).end).toBe('cancelled');
    });

    it('uses the kept actor again, with the image as it is now', async () => {
      const first = await abaco(['run', image, '--keep', '-m', 'echo one']);
      const second = await abaco(['run', image, '--keep', '-m', 'echo two']);
      expect([first.output, second.output]).toEqual(['one\n', 'two\n']);
      const [actorOf] = [/^actor (\w+),/];
      expect(actorOf.exec(second.errors)?.[1]).toBe(actorOf.exec(first.errors)?.[1]);
    });

    it('leaves nothing when it is interrupted', async () => {
      const { promise: started, resolve } = Promise.withResolvers<(signal: NodeJS.Signals) => void>();
      const run = abaco(['run', image, '-m', 'sleep 600'], { onStart: resolve });
      const once = await until(async () => (await actors()).find(({ name }) => name === 'abaco-run-once'), {
        timeoutMs: 20_000,
      });
      await until(
        async () => {
          const found = (await ask(`/actors/v2/${once.id}/executions`)) as { executions: { status: string }[] };
          return found.executions[0]?.status === 'RUNNING';
        },
        { timeoutMs: 20_000, what: 'it to run' },
      );
      (await started)('SIGINT');
      expect((await run).exitCode).toBe(130);
      expect((await actors()).map(({ id }) => id)).not.toContain(once.id);
    });

    it('tells all of it as JSON', async () => {
      const { output } = await abaco(['run', image, '--json', '-m', 'echo hi; echo 1 | /_abaco/bin/result']);
      expect(JSON.parse(output)).toMatchObject({
        execution: { status: 'COMPLETE', exit_code: 0 },
        log: 'hi\n',
        results: [{ text: '1\n' }],
      });
    });

    it('refuses the name of no image in one line', async () => {
      const { exitCode, output, errors } = await abaco(['run', 'No Image', '-m', 'x']);
      expect({ exitCode, output }).toEqual({ exitCode: 1, output: '' });
      expect(errors).toMatch(/^abaco: .*No Image.*\n$/);
    });
  });

  describe('submit, executions, logs and results', () => {
    it('follow one message from the mailbox to its result', async () => {
      const actor = await register();
      const script = 'echo hello; echo r1 | /_abaco/bin/result; echo r2 | /_abaco/bin/result; exit 5';
      const submitted = await abaco(['submit', actor, '-m', script, '--idempotency-key', 'k']);
      const execution = submitted.output.trim();
      expect(submitted).toMatchObject({ exitCode: 0, output: expect.stringMatching(/^\w+\n$/) });
      expect((await abaco(['submit', actor, '-m', script, '--idempotency-key', 'k'])).output.trim()).toBe(execution);

      expect((await abaco(['logs', actor, execution, '-f'])).output).toBe('hello\n');
      const listed = await abaco(['executions', actor]);
      expect(listed.output.split('\n')[0]).toMatch(/^execution +status +received +duration +exit +cpu +memory$/);
      expect(listed.output.split('\n')[1]).toMatch(new RegExp(`^${execution} +COMPLETE .* 5 .* MiB$`));
      expect((await abaco(['executions', actor, execution])).output).toMatch(/^exit code +5$/m);
      expect(JSON.parse((await abaco(['executions', actor, execution, '--json'])).output)).toMatchObject({
        exit_code: 5,
      });
      expect(JSON.parse((await abaco(['executions', actor, '--json'])).output)).toHaveLength(1);
      expect(JSON.parse((await abaco(['logs', actor, execution, '--json'])).output)).toEqual({ log: 'hello\n' });

      expect((await abaco(['results', actor, execution])).output).toBe('r1\nr2\n');
      expect((await abaco(['results', actor, execution])).output).toBe('');
    });

    it('lose no more than one result where output cannot be written', async () => {
      const actor = await register();
      const script = 'echo r1 | /_abaco/bin/result; echo r2 | /_abaco/bin/result';
      const execution = (await abaco(['submit', actor, '-m', script])).output.trim();
      await abaco(['logs', actor, execution, '-f']);
      const told =
        'abaco: Standard output cannot be written: ENOSPC: no space left on device, write; send it elsewhere\n';
      const full = async (...args: readonly string[]) => await abaco(args, { outputTo: '/dev/full' });
      const refused = { exitCode: 1, errors: told };
      expect(await full('executions', actor)).toMatchObject(refused);
      expect(await full('results', actor, execution, '--json')).toMatchObject(refused);
      expect(await full('results', actor, execution)).toMatchObject(refused);
      expect((await abaco(['results', actor, execution])).output).toBe('r2\n');
      expect(await full('run', image, '-m', 'echo a log')).toMatchObject(refused);
      expect(await full('run', image, '-q', '-m', 'echo 1 | /_abaco/bin/result')).toMatchObject(refused);
      expect((await actors()).filter(({ name }) => name?.startsWith('abaco-run-once'))).toEqual([]);
    });

    it('take many messages of a file or a pipe, each once under a key', async () => {
      await using directory = await makeTestDirectory('cli');
      const actor = await register();
      const file = join(directory.path, 'messages.jsonl');
      writeFileSync(file, '"echo \\"$N\\"; echo $N | /_abaco/bin/result"\n{"n": 1.0}\nno JSON\n');
      const verb = ['submit', actor, '--batch', file, '-e', 'N=7', '--idempotency-key', 'lines'];
      const sent = await abaco(verb);
      const ids = sent.output.trim().split('\n');
      expect(sent).toMatchObject({ exitCode: 1, errors: expect.stringContaining('line 3: The line is not JSON\n') });
      expect(ids).toHaveLength(2);

      writeFileSync(file, readFileSync(file, 'utf8').replace('no JSON', '"true"'));
      const again = await abaco([...verb, '--json']);
      const items = JSON.parse(again.output) as readonly { readonly execution: string }[];
      expect(again).toMatchObject({ exitCode: 0, errors: '' });
      expect(items).toMatchObject([{ line: 1, replayed: true }, { line: 2, replayed: true }, { line: 3 }]);
      expect(items.map(({ execution }) => execution).slice(0, 2)).toEqual(ids);

      const piped = await abaco(['submit', actor, '--batch', '-'], { input: 'echo {}\n\ntrue\n' });
      expect(piped).toMatchObject({ exitCode: 0, output: expect.stringMatching(/^\w+\n\w+\n$/) });
      expect(JSON.parse((await abaco(['executions', actor, '--json'])).output)).toHaveLength(5);
      const [first = ''] = ids;
      await abaco(['logs', actor, first, '-f']);
      expect((await abaco(['results', actor, first])).output).toBe('7\n');
    });

    it('refuse a batch beside a message, and lines that are nowhere', async () => {
      const [both, none] = [
        await abaco(['submit', 'a', '--batch', '-', '-m', 'x']),
        await abaco(['submit', 'a', '--json-lines', '-m', 'x']),
      ];
      expect([both, none]).toMatchObject([
        { exitCode: 1, errors: 'abaco: A batch is sent alone: leave out --message, --file and --sync\n' },
        { exitCode: 1, errors: 'abaco: Lines of JSON are wanted: give --batch FILE\n' },
      ]);
    });

    it('wait for the result when asked to', async () => {
      const actor = await register();
      expect((await abaco(['submit', actor, '--sync', '-m', 'echo 7 | /_abaco/bin/result'])).output).toBe('7\n');
      const failing = ['submit', actor, '--sync', '-m', 'echo only a log; exit 7'];
      expect(await abaco(failing)).toMatchObject({ exitCode: 7, output: 'only a log\n', errors: '' });
      const told = await abaco([...failing, '--json']);
      expect([told.exitCode, JSON.parse(told.output)]).toEqual([
        7,
        { execution_id: expect.stringMatching(/^\w+$/) as string, exit_code: 7, text: 'only a log\n' },
      ]);
    });
  });

  describe('in trouble', () => {
    it('tells what the service says', async () => {
      expect(await abaco(['executions', 'no-such-actor'])).toMatchObject({
        exitCode: 1,
        output: '',
        errors: "abaco: Actor with identifier 'no-such-actor' not found\n",
      });
    });

    it('says what to type when there is no service', async () => {
      const url = `http://127.0.0.1:${await freePort()}`;
      expect(await runAbaco(['run', image, '-m', 'x', '--url', url])).toMatchObject({
        exitCode: 1,
        errors: `abaco: Service "${url}" cannot be reached: nothing listens there; type "abaco up" to start a service, or give --url or ABACO_URL\n`,
      });
    });

    it('says what a verb takes', async () => {
      const { exitCode, errors } = await abaco(['run']);
      expect(exitCode).toBe(1);
      expect(errors).toMatch(/missing required argument 'image'/);
    });
  });
});
