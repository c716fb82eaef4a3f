/** Schemathesis on an `abaco api` process with a Redis and a history of its own, as one of three callers. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { startMongo } from './mongo-server.ts';
import { packageRoot } from './package-root.ts';
import { isExecutable } from './program.ts';
import { startRedis } from './redis-server.ts';
import { makeTestDirectory } from './test-directory.ts';
import { claimsOf, makeTestKey, signToken } from './tokens.ts';
import { until } from './until.ts';

export const who = ['admin', 'user', 'anonymous'] as const;
export type Who = (typeof who)[number];

/** Where the history is kept. */
export type Keeper = 'sqlite' | 'mongodb';

export interface Verdict {
  readonly exitCode: number;
  /** Requests that were sent and judged. */
  readonly requests: number;
  /** What it said, failures among it. */
  readonly output: string;
}

export interface RunOptions {
  readonly seed: number;
  /** Most requests that are made up for one operation, beside those that cover its description. */
  readonly examples: number;
  /** Every path that names an actor names this one, so that what lies behind is reached. */
  readonly actorId?: string;
}

export interface SchemathesisBench extends AsyncDisposable {
  /** @returns the id of an actor that everybody may UPDATE. */
  registerActor(): Promise<string>;
  run(asked: Who, options: RunOptions): Promise<Verdict>;
}

const settings = join(packageRoot, 'test/schemathesis/schemathesis.toml');
const schemathesis = join(packageRoot, '.cache/schemathesis/bin/schemathesis');

export async function schemathesisAvailable(): Promise<boolean> {
  return await isExecutable(schemathesis);
}

export async function startSchemathesisBench(keeper: Keeper): Promise<SchemathesisBench> {
  const parts = new AsyncDisposableStack();
  const directory = parts.use(await makeTestDirectory('schemathesis'));
  const redis = parts.use(await startRedis({ appendfsync: 'off' }));
  const mongo = keeper === 'mongodb' ? parts.use(await startMongo()) : undefined;
  const history = mongo ? `[history]\nurl = "${mongo.url}/${mongo.database}"\n` : '';
  const key = makeTestKey();
  const site = join(directory.path, 'site.toml');
  const addressFile = join(directory.path, 'address');
  await writeFile(site, siteFile(directory.path, redis.url, await freePort(), key.publicPem) + history);
  const service = parts.use(await startService(site, addressFile));
  const address = await until(async () => await readAddress(addressFile, service), {
    what: 'the API',
    timeoutMs: 30_000,
  });

  const sign = (claims: object): string => signToken(key.privateKey, { claims });

  return {
    async registerActor() {
      const headers = { ...authorize('admin', sign), 'content-type': 'application/json' };
      const post = async (path: string, body: object): Promise<Response> =>
        await fetch(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      const answer = (await (await post('/actors', { image: 'debian' })).json()) as { readonly result: { id: string } };
      await post(`/actors/${answer.result.id}/permissions`, { user: 'ABACO_WORLD', level: 'UPDATE' });
      await post(`/actors/${answer.result.id}/messages`, { message: 'hello' });
      return answer.result.id;
    },
    async run(asked, { seed, examples, actorId }) {
      const report = join(directory.path, `${asked}.ndjson`);
      const config = join(directory.path, 'schemathesis.toml');
      const document = join(directory.path, 'openapi.json');
      await writeFile(document, await describeAsLinked(address));
      await writeFile(config, (actorId === undefined ? '' : onActor(actorId)) + (await readFile(settings, 'utf8')));
      const args = [
        '--config-file',
        config,
        'run',
        document,
        '--url',
        address,
        '--seed',
        String(seed),
        '--max-examples',
        String(examples),
        // Two would be two threads, and the parser of Python 3.11 is not safe between them (python/cpython#106905).
        '--workers=1',
        '--continue-on-failure',
        '--generation-database=none',
        '--suppress-health-check=all',
        '--request-timeout=20',
        '--warnings=off',
        '--report=ndjson',
        `--report-ndjson-path=${report}`,
        '--no-color',
        ...Object.entries(authorize(asked, sign)).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
        ...(actorId === undefined ? [] : ['--include-path-regex=actor_id', '--exclude-operation-id=deleteActor']),
      ];
      const child = await startChild(schemathesis, args, { cwd: directory.path });
      let output = '';
      child.process.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const exitCode = await new Promise<number>((resolve) =>
        child.process.once('close', (code) => resolve(code ?? 1)),
      );
      if (service.exited()) throw new Error(`The API died under Schemathesis: ${service.output()}`);
      return { exitCode, requests: await countRequests(report), output: output || child.output() };
    },
    [Symbol.asyncDispose]: async () => await parts.disposeAsync(),
  };
}

/**
 * The served document with its paths where `_links` lead (contract §1.1), or Schemathesis, which follows them, would take
 * `/actors/v2/executions` for the executions of an actor called `v2`.
 */
async function describeAsLinked(address: string): Promise<string> {
  const document = (await (await fetch(`${address}/openapi.json`)).json()) as {
    readonly paths: Record<string, object>;
  };
  const paths = Object.entries(document.paths).map(([path, item]) => [path.replace(/^\/actors/, '/actors/v2'), item]);
  return JSON.stringify({ ...document, paths: Object.fromEntries(paths) as unknown });
}

/** A synchronous request waits for a second. */
function siteFile(dataDir: string, redisUrl: string, port: number, publicKey: string): string {
  return `
[service]
data_dir = "${dataDir}"
port = ${port}
[redis]
url = "${redisUrl}"
durability = "weak"
[limits]
sync_wait = "1s"
[launchers.local]
kind = "mock"
[tenants.DEV]
public_key = """${publicKey}"""
`;
}

async function startService(site: string, addressFile: string): Promise<Child> {
  const program = join(packageRoot, 'test/support/service-process.ts');
  return await startChild(process.execPath, [program, site, 'api,supervisor', addressFile], { cwd: packageRoot });
}

async function readAddress(file: string, service: Child): Promise<string | undefined> {
  if (service.exited()) throw new Error(`The API did not start: ${service.output()}`);
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n')[0] || undefined;
}

const rolesOf: Readonly<Record<Who, string | undefined>> = {
  admin: 'Internal/everyone,Internal/abaco-admin',
  user: 'Internal/everyone',
  anonymous: undefined,
};

/** A table stands behind what stands outside of all. */
function onActor(actorId: string): string {
  return `parameters = { "path.actor_id" = "${actorId}" }\n`;
}

function authorize(asked: Who, sign: (claims: object) => string): Readonly<Record<string, string>> {
  const roles = rolesOf[asked];
  if (roles === undefined) return {};
  const claims = claimsOf(asked, { 'http://wso2.org/claims/role': roles, exp: Math.floor(Date.now() / 1_000) + 7_200 });
  return { 'x-jwt-assertion-dev': sign(claims) };
}

/** Each line of the report is one event; those of a scenario hold the requests it sent. */
async function countRequests(report: string): Promise<number> {
  const text = await readFile(report, 'utf8').catch(() => '');
  return text.split('"response":{').length - 1;
}
