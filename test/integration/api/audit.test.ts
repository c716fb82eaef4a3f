/** Each change leaves one audit record. The routes are those of the document: a new one without a line here fails. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, type Question, registerActor, sendMessage } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

interface AuditRecord {
  readonly operation: string;
  readonly [name: string]: unknown;
}

const fill = { json: { image: 'debian', stateless: false, default_environment: { PASSWORD: 'hunter2' } } };
const secret = (name: string) => ({ name, value: 'hunter2', is_secret: true, actors: 'A' });
const grant = { json: { user: 'joe', level: 'READ' } };

/** How each operation is asked so that it succeeds; `A` is an actor, `L` an alias, `N` a nonce of either, `C` a config. */
const changes: Readonly<Record<string, readonly [string, Question?]>> = {
  createActor: ['POST /actors', fill],
  updateActor: ['PUT /actors/A', fill],
  setState: ['POST /actors/A/state', { json: { hunter2: 1 } }],
  sendMessage: ['POST /actors/A/messages', { json: { message: 'hunter2' } }],
  sendBatch: ['POST /actors/A/messages/batch', { json: { messages: ['hunter2'] } }],
  purgeMessages: ['DELETE /actors/A/messages'],
  ensureWorkers: ['POST /actors/A/workers', { json: { num: 1 } }],
  addActorPermission: ['POST /actors/A/permissions', grant],
  createActorNonce: ['POST /actors/A/nonces'],
  deleteActorNonce: ['DELETE /actors/A/nonces/N'],
  createAlias: ['POST /actors/aliases', { json: { alias: 'other', actor_id: 'A' } }],
  updateAlias: ['PUT /actors/aliases/L', { json: { actor_id: 'A' } }],
  addAliasPermission: ['POST /actors/aliases/L/permissions', grant],
  createAliasNonce: ['POST /actors/aliases/L/nonces'],
  deleteAliasNonce: ['DELETE /actors/aliases/L/nonces/N'],
  deleteAlias: ['DELETE /actors/aliases/L'],
  createConfig: ['POST /actors/configs', { json: secret('made') }],
  updateConfig: ['PUT /actors/configs/C', { json: secret('C') }],
  addConfigPermission: ['POST /actors/configs/C/permissions', grant],
  deleteConfig: ['DELETE /actors/configs/C'],
  deleteActor: ['DELETE /actors/A'],
};

describe.runIf(requireService('redis', await programAvailable('redis-server')))('the audit', () => {
  let api: ApiService;
  let directory: Awaited<ReturnType<typeof makeTestDirectory>>;
  let file: string;
  const lines = async (): Promise<readonly string[]> =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const records = async (): Promise<readonly AuditRecord[]> =>
    (await lines()).map((line) => JSON.parse(line) as AuditRecord);
  /** @returns how many records there are up to that of an actor made now: what came before it is written. */
  const mark = async (): Promise<number> => {
    const id = await registerActor(api);
    return await until(async () => {
      const index = (await records()).findIndex(
        ({ after }) => (after as { readonly id?: string } | undefined)?.id === id,
      );
      return index < 0 ? undefined : index + 1;
    });
  };
  const between = async (from: number, to: number): Promise<readonly AuditRecord[]> =>
    (await records()).slice(from, to - 1);

  beforeAll(async () => {
    directory = await makeTestDirectory('audit');
    file = join(directory.path, 'audit.log');
    api = await startApiService({ settings: { ABACO_AUDIT_FILE: file } });
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await directory?.[Symbol.asyncDispose]();
  });

  it('has a line here for every operation that changes something', async () => {
    const document = JSON.parse((await ask(api.app, 'GET /openapi.json')).text) as {
      readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
    };
    const found = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/actors'))
      .flatMap(([, verbs]) =>
        Object.entries(verbs).filter(([verb]) => ['post', 'put', 'delete', 'patch'].includes(verb)),
      )
      .map(([, { operationId }]) => operationId);
    // These take a worker, and nothing but the hook of all others leaves their record.
    const elsewhere = ['cancelExecution', 'stopWorker'];
    expect(found.toSorted()).toEqual([...Object.keys(changes), ...elsewhere].toSorted());
  });

  it.each(Object.entries(changes))(
    'has one record of %s, and nothing secret in it',
    async (operation, [line, asked]) => {
      const actor = await registerActor(api, { stateless: false });
      const alias = { json: { alias: `a${operation.toLowerCase()}`, actor_id: actor } };
      expect((await ask(api.app, 'POST /actors/aliases', alias)).status).toBe(200);
      const of = line.includes('/aliases/') ? `aliases/${alias.json.alias}` : actor;
      const nonce = String((await ask(api.app, `POST /actors/${of}/nonces`)).result.id);
      const config = { json: { ...secret(`c${operation}`), actors: actor } };
      expect((await ask(api.app, 'POST /actors/configs', config)).status).toBe(200);
      const names = { A: actor, L: alias.json.alias, N: nonce, C: config.json.name };
      const path = line.replace(/\/([ALNC])(?=\/|$)/g, (_found, kind: keyof typeof names) => `/${names[kind]}`);
      const json = asked?.json as Readonly<Record<string, unknown>> | undefined;
      const named = Object.entries(json ?? {}).map(([name, value]) => [name, value === 'A' ? actor : value]);
      const question = json ? { json: Object.fromEntries(named) as unknown } : asked;
      const before = await mark();
      const { status, text } = await ask(api.app, path, question);
      expect(status, text).toBe(200);
      const mine = await between(before, await mark());
      expect(mine).toMatchObject([{ operation, tenant: 'DEV', user: 'anonymous', from: '127.0.0.1', status: 200 }]);
      const written = await lines();
      expect(written.join('\n')).not.toContain('hunter2');
      expect(written.join('\n')).not.toContain(nonce);
    },
  );

  it('tells what was there before, and nothing of what only reads or is refused', async () => {
    const actor = await registerActor(api, { image: 'one' });
    await sendMessage(api, actor);
    await ask(api.app, `GET /actors/${actor}`);
    await ask(api.app, `POST /actors/${actor}/permissions`, { json: { user: 'joe', level: 'NONSENSE' } });
    await ask(api.app, `PUT /actors/${actor}`, { json: { image: 'two' } });
    const isMine = (record: AuditRecord): boolean => JSON.stringify(record).includes(actor);
    const mine = await until(async () => {
      const found = (await records()).filter(isMine);
      return found.some(({ operation }) => operation === 'updateActor') ? found : undefined;
    });
    expect(mine.map(({ operation }) => operation)).toEqual(['createActor', 'sendMessage', 'updateActor']);
    expect(mine.at(-1)).toMatchObject({ before: { image: 'one' }, after: { image: 'two' } });
  });
});
