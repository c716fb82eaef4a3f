/** What a program that failed looks like where compat.failed_status = "ERROR": the same everywhere. Mock launcher. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AbacoUp, startAbacoUp } from '../support/abaco-up.ts';
import { programAvailable } from '../support/program.ts';
import { requireService } from '../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../support/test-directory.ts';
import { until } from '../support/until.ts';
import { startWebhookServer, type WebhookServer } from '../support/webhook-server.ts';

type Result = Readonly<Record<string, unknown>>;

const site = `
[service]
default_launcher = "mock"
[launchers.mock]
kind = "mock"
[workers]
sweep = "300ms"
[events]
allow_private = true
[compat]
failed_status = "ERROR"
`;

describe.runIf(requireService('redis', await programAvailable('redis-server')))(
  'compat.failed_status = "ERROR"',
  () => {
    let directory: TestDirectory;
    let webhook: WebhookServer;
    let up: AbacoUp;

    beforeAll(async () => {
      directory = await makeTestDirectory('failed-status');
      webhook = await startWebhookServer();
      const file = join(directory.path, 'site.toml');
      await writeFile(file, site);
      up = await startAbacoUp({ ABACO_CONFIG: file });
    });

    afterAll(async () => {
      await up?.[Symbol.asyncDispose]();
      await webhook?.[Symbol.asyncDispose]();
      await directory?.[Symbol.asyncDispose]();
    });

    async function call(line: string, json?: object): Promise<Result> {
      const [method = '', path = ''] = line.split(' ');
      const body = json && { body: JSON.stringify(json), headers: { 'content-type': 'application/json' } };
      const answer = await fetch(`${up.url}${path}`, { method, ...body });
      const { result, message } = (await answer.json()) as { readonly result: Result | null; readonly message: string };
      if (result === null) throw new Error(message);
      return result;
    }

    const register = async (settings: object = {}): Promise<string> =>
      String((await call('POST /actors', { image: 'mock/program:1', ...settings }))['id']);

    /** @returns the path of its execution. */
    async function send(actor: string, exitCode: number): Promise<string> {
      const { execution_id: id } = await call(`POST /actors/${actor}/messages?MOCK_EXIT_CODE=${exitCode}`, {
        message: 'm',
      });
      return `/actors/${actor}/executions/${String(id)}`;
    }

    const untilEnded = async (path: string): Promise<Result> =>
      await until(
        async () => {
          const found = await call(`GET ${path}`);
          return found['finish_time'] === null ? undefined : found;
        },
        { timeoutMs: 30_000, what: `${path} to end` },
      );

    it('is the status of it in every answer, and of nothing else', async () => {
      const actor = await register({ webhook: webhook.url });
      const failed = await send(actor, 3);
      expect(await untilEnded(failed)).toMatchObject({ status: 'ERROR', exit_code: 3, end: 'exited' });
      const well = await send(actor, 0);
      expect(await untilEnded(well)).toMatchObject({ status: 'COMPLETE', exit_code: 0, end: 'exited' });
      const both = [
        { id: failed.split('/').at(-1), status: 'ERROR' },
        { id: well.split('/').at(-1), status: 'COMPLETE' },
      ];
      const summary = await call(`GET /actors/${actor}/executions`);
      expect(summary).toMatchObject({ executions: both, total_executions: 2 });
      const [error] = both;
      for (const path of [
        `/actors/search/executions?actor_id=${actor}&status=ERROR`,
        `/actors/${actor}/executions?status=ERROR`,
      ]) {
        expect(await call(`GET ${path}`)).toMatchObject({ _metadata: { total_count: 1 }, search: [error] });
      }
      expect(await call(`GET /executions?actor=${actor}&status=ERROR`)).toMatchObject({ executions: [error] });
      const events = await until(
        () => {
          const posts = webhook.received.map(({ body }) => JSON.parse(body) as Result);
          const ended = posts.filter(({ event_type: type }) => type === 'EXECUTION_COMPLETE');
          return ended.length === 2 ? ended : undefined;
        },
        { timeoutMs: 30_000, what: 'both events' },
      );
      expect(events).toMatchObject([
        { execution_id: error?.id, status: 'ERROR', exit_code: 3 },
        { execution_id: both[1]?.id, status: 'COMPLETE', exit_code: 0 },
      ]);
      expect(await call(`GET /actors/${actor}`)).toMatchObject({ status: 'READY' });
    });

    it('keeps the order of a stateful actor, whose next message runs after a failure', async () => {
      const actor = await register({ stateless: false });
      const paths = [await send(actor, 1), await send(actor, 0), await send(actor, 2)];
      const ended = await Promise.all(paths.map(untilEnded));
      expect(ended.map(({ status }) => status)).toEqual(['ERROR', 'COMPLETE', 'ERROR']);
      const starts = ended.map(({ start_time: start }) => String(start));
      expect(starts).toEqual(starts.toSorted());
    });

    it('still gives a link its event, and "abaco run" the exit code of the program', async () => {
      const target = await register();
      const actor = await register({ link: target });
      await untilEnded(await send(actor, 5));
      const told = async (): Promise<Result | undefined> => {
        const { executions } = await call(`GET /actors/${target}/executions`);
        return (executions as readonly Result[]).filter(({ status }) => status === 'COMPLETE')[1];
      };
      // The first event is that the actor is READY.
      const { id } = await until(told, { timeoutMs: 30_000, what: 'the event of the end to run' });
      const { logs } = await call(`GET /actors/${target}/executions/${String(id)}/logs`);
      expect(logs).toContain("'event_type': 'EXECUTION_COMPLETE'");
      expect(logs).toContain("'status': 'ERROR', 'exit_code': 5");
      const { exitCode, errors } = await up.abaco(['run', 'mock/program:1', '-m', 'm', '-e', 'MOCK_EXIT_CODE=7']);
      expect(exitCode, errors).toBe(7);
    });
  },
);
