import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderOpenApi } from '../../../src/api/render-openapi.ts';
import { ask } from '../../support/api-requests.ts';
import { type ApiService, startApiService } from '../../support/api-service.ts';
import { packageRoot } from '../../support/package-root.ts';

type Json = Readonly<Record<string, unknown>>;

const file = join(packageRoot, 'openapi.json');
let document: Json;
let api: ApiService;

beforeAll(async () => {
  document = JSON.parse(await readFile(file, 'utf8')) as Json;
  api = await startApiService();
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

interface Operation {
  readonly line: string;
  readonly operation: Json;
}

function operations(): readonly Operation[] {
  return Object.entries(document['paths'] as Json).flatMap(([path, verbs]) =>
    Object.entries(verbs as Json).map(([verb, operation]) => ({
      line: `${verb.toUpperCase()} ${path}`,
      operation: operation as Json,
    })),
  );
}

/** Every schema below a value that has properties, with where it stands. */
function* objectSchemas(value: unknown, place: string): Generator<readonly [string, Json]> {
  if (typeof value !== 'object' || value === null) return;
  if ('properties' in value) yield [place, value.properties as Json];
  for (const [name, member] of Object.entries(value)) yield* objectSchemas(member, `${place}/${name}`);
}

describe('openapi.json', () => {
  it('is what the routes say now ("npm run openapi" writes it)', async () => {
    expect(await readFile(file, 'utf8')).toBe(await renderOpenApi());
  });

  it('is what a running service answers', async () => {
    const { status, text } = await ask(api.app, 'GET /openapi.json');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual(document);
  });

  it('has no fault that its linter finds', async () => {
    const cli = join(packageRoot, 'node_modules', '@redocly', 'cli', 'bin', 'cli.js');
    const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', NO_COLOR: '1' };
    const args = [cli, 'lint', file, '--config', join(packageRoot, 'redocly.yaml'), '--format', 'json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env }).catch(
      (failed: { readonly stdout: string }) => failed,
    );
    expect(JSON.parse(stdout)).toMatchObject({ totals: { errors: 0, warnings: 0 }, problems: [] });
  });

  it('has every route of the contract that this server offers, and ours', () => {
    expect(
      operations()
        .map(({ line }) => line)
        .sort(),
    ).toEqual(
      [
        'GET /actors',
        'GET /actors/search/{search_type}',
        'GET /actors/utilization',
        'GET /actors/admin',
        'GET /actors/admin/workers',
        'GET /actors/admin/executions',
        'GET /metrics',
        'POST /actors',
        'GET /actors/{actor_id}',
        'PUT /actors/{actor_id}',
        'DELETE /actors/{actor_id}',
        'GET /actors/{actor_id}/messages',
        'POST /actors/{actor_id}/messages',
        'POST /actors/{actor_id}/messages/batch',
        'DELETE /actors/{actor_id}/messages',
        'GET /actors/{actor_id}/state',
        'POST /actors/{actor_id}/state',
        'GET /actors/executions',
        'GET /actors/{actor_id}/executions',
        'GET /actors/{actor_id}/executions/{execution_id}',
        'DELETE /actors/{actor_id}/executions/{execution_id}',
        'GET /actors/{actor_id}/executions/{execution_id}/events',
        'GET /actors/{actor_id}/executions/{execution_id}/logs',
        'GET /actors/{actor_id}/executions/{execution_id}/results',
        'GET /actors/{actor_id}/workers',
        'POST /actors/{actor_id}/workers',
        'GET /actors/{actor_id}/workers/{worker_id}',
        'DELETE /actors/{actor_id}/workers/{worker_id}',
        'GET /actors/{actor_id}/permissions',
        'POST /actors/{actor_id}/permissions',
        'GET /actors/{actor_id}/nonces',
        'POST /actors/{actor_id}/nonces',
        'GET /actors/{actor_id}/nonces/{nonce_id}',
        'DELETE /actors/{actor_id}/nonces/{nonce_id}',
        'GET /actors/aliases',
        'POST /actors/aliases',
        'GET /actors/aliases/{alias}',
        'PUT /actors/aliases/{alias}',
        'DELETE /actors/aliases/{alias}',
        'GET /actors/aliases/{alias}/permissions',
        'POST /actors/aliases/{alias}/permissions',
        'GET /actors/aliases/{alias}/nonces',
        'POST /actors/aliases/{alias}/nonces',
        'GET /actors/aliases/{alias}/nonces/{nonce_id}',
        'DELETE /actors/aliases/{alias}/nonces/{nonce_id}',
        'GET /actors/configs',
        'POST /actors/configs',
        'GET /actors/configs/{config}',
        'PUT /actors/configs/{config}',
        'DELETE /actors/configs/{config}',
        'GET /actors/configs/{config}/permissions',
        'POST /actors/configs/{config}/permissions',
        'GET /health/live',
        'GET /health/ready',
      ].sort(),
    );
  });

  it('describes every operation, each parameter, and each answer with a schema', () => {
    for (const { line, operation } of operations()) {
      for (const field of ['operationId', 'summary', 'description', 'tags']) {
        expect(operation[field], `${line}: ${field}`).toBeTruthy();
      }
      for (const parameter of (operation['parameters'] ?? []) as readonly Json[]) {
        expect(parameter['description'], `${line}: ${String(parameter['name'])}`).toBeTruthy();
        expect(parameter['schema']).toBeTruthy();
      }
      for (const [status, answer] of Object.entries(operation['responses'] as Json)) {
        const { description, content } = answer as { readonly description?: string; readonly content?: Json };
        expect(description, `${line}: ${status}`).toMatch(/\w/);
        expect(description).not.toBe('Default Response');
        for (const { schema } of Object.values(content ?? {}) as readonly Json[]) expect(schema).toBeTruthy();
        // "Not modified" has no body (RFC 9110 §15.4.5); every other answer has.
        expect(Object.keys(content ?? {}).length > 0, `${line}: ${status}`).toBe(status !== '304');
      }
    }
  });

  it('has a body where one is read, and errors as envelope and as problem everywhere', () => {
    for (const { line, operation } of operations()) {
      const reads = /^(POST|PUT) /.test(line);
      expect('requestBody' in operation, line).toBe(reads);
      const responses = operation['responses'] as Readonly<Record<string, { readonly content: Json }>>;
      expect(Object.keys(responses[400]?.content ?? {}), line).toEqual([
        'application/json',
        'application/problem+json',
      ]);
      if (line.includes('/actors')) expect(Object.keys(responses)).toEqual(expect.arrayContaining(['404', '503']));
    }
  });

  it('shows an example of everything that has a name, and of what administrators are answered', () => {
    const { schemas } = document['components'] as { readonly schemas: Json };
    for (const [name, schema] of Object.entries(schemas)) {
      expect((schema as Json)['examples'], name).toHaveProperty('0');
    }
    const counted = operations().filter(({ line }) => /^GET \/actors\/(admin|utilization)/.test(line));
    expect(counted).toHaveLength(4);
    for (const { line, operation } of counted) {
      const schema = 'responses.200.content.application/json.schema.properties.result'.split('.');
      const found = schema.reduce<unknown>((inner, key) => (inner as Json)[key], operation) as Json;
      expect(found['examples'], line).toHaveProperty('0');
    }
  });

  it('describes the attributes of everything that has a name', () => {
    const { schemas } = document['components'] as { readonly schemas: Json };
    expect(Object.keys(schemas).sort()).toEqual([
      'Actor',
      'ActorRequest',
      'ActorUpdateRequest',
      'Alias',
      'AliasRequest',
      'AliasUpdateRequest',
      'Config',
      'ConfigRequest',
      'ConfigUpdateRequest',
      'Error',
      'Execution',
      'Nonce',
      'NonceRequest',
      'PermissionRequest',
      'Permissions',
      'Problem',
      'Progress',
      'SearchMetadata',
      'Worker',
      'WorkersRequest',
    ]);
    for (const [name, schema] of Object.entries(schemas)) {
      expect((schema as Json)['description'], name).toBeTruthy();
      for (const [place, properties] of objectSchemas(schema, name)) {
        for (const [property, described] of Object.entries(properties)) {
          if (place.includes('_links')) continue;
          if (property === '_links') continue;
          expect((described as Json)['description'], `${place}: ${property}`).toBeTruthy();
        }
      }
    }
  });
});

describe('the page at /docs', () => {
  it('is served with all that it loads, and nothing from elsewhere', async () => {
    const page = await ask(api.app, 'GET /docs/');
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toContain('text/html');
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//);
      const { pathname } = new URL(asset, 'http://here/docs/');
      const { status, bytes } = await ask(api.app, `GET ${pathname}`);
      expect(status, pathname).toBe(200);
      expect(bytes.length).toBeGreaterThan(0);
    }
    expect((await ask(api.app, 'GET /docs/json')).status).toBe(200);
  });

  it('is found without the slash at the end', async () => {
    expect([200, 302]).toContain((await ask(api.app, 'GET /docs')).status);
  });
});
