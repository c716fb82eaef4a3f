/** A site as clients of the original know one: a tenant with a gateway, tokens and camel case, on the real engine. */

import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bridgeAddress } from '../../src/lib/bridge-address.ts';
import { type RoleName, roleNames } from './abaco-client.ts';
import { type AbacoUp, startAbacoUp } from './abaco-up.ts';
import { dockerAvailable, nativeAvailable } from './docker.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { packageRoot } from './package-root.ts';
import { isExecutable, programAvailable } from './program.ts';
import { requireService } from './services.ts';
import { makeTestDirectory } from './test-directory.ts';
import { claimsOf, makeTestKey, signToken } from './tokens.ts';

export interface ClientSite extends AsyncDisposable {
  readonly up: AbacoUp;
  readonly gateway: Gateway;
  /** A token of the tenant. */
  token(user: string, role?: RoleName): string;
  /**
   * Runs a program of agavepy's, which finds `ag`, its client. What it assigns to `answer` is the result.
   *
   * @param options - `jwt` shows the token as a gateway hands it on, not as a user does.
   */
  python(program: string, options?: PythonOptions): Promise<unknown>;
  /** Environment in which a container reaches the gateway with agavepy of its own. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface PythonOptions {
  readonly user?: string;
  readonly role?: RoleName;
  readonly jwt?: boolean;
}

const installed = join(packageRoot, '.cache', 'python-clients');
const interpreter = join(installed, 'venv', 'bin', 'python');

/** Whether tests of clients can run here; what is missing is said. */
export async function canRunClients(): Promise<boolean> {
  const has = [
    requireService('redis', await programAvailable('redis-server')),
    requireService('docker', await dockerAvailable()),
    requireService('native', await nativeAvailable()),
    requireService('openssl', await programAvailable('openssl')),
    requireService('agavepy', await isExecutable(interpreter)),
  ];
  return has.every(Boolean);
}

export async function startClientSite(): Promise<ClientSite> {
  const directory = await makeTestDirectory('site');
  const gateway = await startGateway(directory.path);
  const key = makeTestKey();
  const agavepy = join(directory.path, 'agavepy');
  await copyAgavepy(agavepy, gateway.certificateFile);
  const site = join(directory.path, 'site.toml');
  await writeFile(site, siteFile(key.publicPem, gateway.url, agavepy));
  const up = await startAbacoUp({ ABACO_CONFIG: site });
  gateway.leadTo(up.url);
  const token: ClientSite['token'] = (user, role = 'user') =>
    signToken(key.privateKey, { claims: claimsOf(user, { 'http://wso2.org/claims/role': roleNames[role] }) });
  const results = join(directory.path, 'answers');
  await mkdir(results);
  let runs = 0;
  return {
    up,
    gateway,
    token,
    async python(program, { user = 'olga', role = 'user', jwt = false } = {}) {
      const answer = join(results, String(runs++));
      const shown = token(user, role);
      const credential = jwt ? { jwt: shown, jwt_header_name: 'X-JWT-Assertion-LAB' } : { token: shown };
      const parameters = { settings: { api_server: gateway.url, ...credential }, answer };
      const env = { PYTHONPATH: agavepy, PYTHONWARNINGS: 'ignore', https_proxy: `http://127.0.0.1:${gateway.port}` };
      await run(program, parameters, env);
      return JSON.parse(await readFile(answer, 'utf8')) as unknown;
    },
    environment: {
      PYTHONPATH: '/opt/agavepy',
      PYTHONWARNINGS: 'ignore',
      https_proxy: `http://${bridgeAddress() ?? '127.0.0.1'}:${gateway.port}`,
    },
    [Symbol.asyncDispose]: async () => {
      await up[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The clients as containers are given them; the site's certificate is added to what they trust, as sites do. */
async function copyAgavepy(to: string, certificateFile: string): Promise<void> {
  await cp(join(installed, 'agavepy'), to, { recursive: true });
  await appendFile(join(to, 'certifi', 'cacert.pem'), await readFile(certificateFile));
}

function siteFile(publicPem: string, gateway: string, agavepy: string): string {
  return `[auth]
default_tenant = "LAB"
[tenants.LAB]
public_key = """${publicPem}"""
api_server = "${gateway}"
case = "camel"
[mounts.agavepy]
container = "/opt/agavepy"
path = "${agavepy}"
`;
}

async function run(program: string, parameters: object, env: Readonly<Record<string, string>>): Promise<void> {
  const code = `import json, sys
from agavepy.agave import Agave
from agavepy.actors import AbacoExecutor
parameters = json.loads(sys.argv[1])
ag = Agave(**parameters["settings"])
answer = None
${program}
with open(parameters["answer"], "w") as file:
    json.dump(answer, file)
`;
  const options = { env: { ...process.env, ...env }, timeout: 110_000 };
  await promisify(execFile)(interpreter, ['-c', code, JSON.stringify(parameters)], options);
}
