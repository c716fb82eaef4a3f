/**
 * Runs a suite of `inside/` in a container of the cluster's image, whose Apptainer this machine does not have: the
 * checkout and what is installed in it are mounted there, and its Node runs them.
 */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from './cluster.ts';
import { packageRoot } from './package-root.ts';

const run = promisify(execFile);

export interface InsideResult {
  readonly title: string;
  readonly status: string;
  readonly failure: string;
}

interface Report {
  readonly testResults?: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/** As of a machine in `docker-compose.slurm.yml`. */
const machineFlags = [
  ...['SYS_ADMIN', 'SYS_PTRACE', 'SYS_NICE', 'NET_ADMIN'].flatMap((name) => ['--cap-add', name]),
  ...['seccomp=unconfined', 'apparmor=unconfined', 'systempaths=unconfined'].flatMap((name) => [
    '--security-opt',
    name,
  ]),
  '--device',
  '/dev/fuse',
  '--init',
  '--rm',
];

export async function runInside(
  cluster: Cluster,
  suite: string,
  environment: Readonly<Record<string, string>>,
): Promise<readonly InsideResult[]> {
  const login = (await cluster.compose('ps', '-q', 'login')).trim();
  const format = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}';
  const network = (await run('docker', ['inspect', '-f', format, login])).stdout.trim();
  const node = join(packageRoot, 'node_modules/node/bin/node');
  const vitest = [
    join(packageRoot, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'test/support/inside/vitest.config.ts',
  ];
  const words = [node, ...vitest, '--configLoader', 'native', `test/support/inside/${suite}.suite.ts`];
  const script = [
    '. /opt/cluster/common.sh',
    'chmod 666 /dev/fuse',
    'start_directory_client >&2',
    `cd ${packageRoot}`,
    `setpriv --reuid abaco --regid abaco --init-groups env HOME=/tmp ${words.join(' ')} >&2 || true`,
    'cat /tmp/report.json',
  ].join('\n');
  const variables = Object.entries(environment).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
  const mounts = ['--volumes-from', login, '-v', `${packageRoot}:${packageRoot}:ro`];
  const argv = [
    'run',
    ...machineFlags,
    '--network',
    network,
    ...mounts,
    ...variables,
    'abaco-cluster/node',
    'bash',
    '-euc',
    script,
  ];
  const { stdout, stderr } = await run('docker', argv, { maxBuffer: 50_000_000 });
  return parseReport(stdout, stderr);
}

function parseReport(stdout: string, stderr: string): readonly InsideResult[] {
  const line = stdout.split('\n').find((text) => text.startsWith('{"num'));
  if (line === undefined)
    throw new Error(`The suite did not report:\n${stdout.slice(-4_000)}\n${stderr.slice(-4_000)}`);
  return ((JSON.parse(line) as Report).testResults ?? []).flatMap(({ message = '', assertionResults }) =>
    assertionResults.map(({ fullName, status, failureMessages = [] }) => ({
      title: fullName,
      status,
      failure: [message, ...failureMessages].filter(Boolean).join('\n').slice(0, 2_000),
    })),
  );
}
