/** Bodies of `abaco clusters …`: what an operator does for the service to get in, and at what stands there. */

import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type Column, renderJson, renderTable, renderTime } from './client/output.ts';
import { createScreen } from './client/screen.ts';
import type { LoadedConfig } from './config/load.ts';
import { asError, InvalidError, NotFoundError } from './errors.ts';
import { optional } from './lib/optional.ts';
import { type Cluster, readClusters } from './main.ts';

export interface ClusterFlags {
  readonly json?: boolean;
}

const screen = () => createScreen({ output: process.stdout, errors: process.stderr });

async function show<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { json = false }: ClusterFlags,
): Promise<void> {
  const out = screen();
  await out.write(json ? renderJson(rows) : renderTable(columns, rows, out));
}

function find(loaded: LoadedConfig, name: string): Cluster {
  const all = readClusters(loaded);
  const found = all.find((cluster) => cluster.name === name);
  if (found) return found;
  const names = all.map((cluster) => `"${cluster.name}"`).join(', ');
  const known = names === '' ? 'the configuration has none' : `there are ${names}`;
  throw new NotFoundError('launcher.unknown', `Cluster "${name}" is not in the configuration: ${known}`);
}

interface ClusterRow extends Pick<Cluster, 'name' | 'address' | 'transport' | 'users'> {
  /** Of transport "openssh": whether somebody is logged in; text where that cannot be said. */
  readonly login?: string;
  readonly pid?: number;
}

/** @returns whether no cluster waits for a login. */
export async function showClusters(loaded: LoadedConfig, only: string | undefined, flags: ClusterFlags) {
  const clusters = only === undefined ? readClusters(loaded) : [find(loaded, only)];
  const rows = await Promise.all(clusters.map(rowOf));
  const columns: readonly Column<ClusterRow>[] = [
    { title: 'NAME', text: ({ name }) => name },
    { title: 'ADDRESS', text: ({ address }) => address },
    { title: 'TRANSPORT', text: ({ transport }) => transport },
    { title: 'USERS', text: ({ users }) => users },
    { title: 'LOGIN', text: ({ login = '-' }) => login },
  ];
  await show(columns, rows, flags);
  return rows.every(({ login, pid }) => login === undefined || pid !== undefined);
}

async function rowOf(cluster: Cluster): Promise<ClusterRow> {
  const { name, address, transport, users } = cluster;
  const row = { name, address, transport, users };
  if (transport === 'ssh2') return row;
  try {
    const pid = await cluster.login();
    return { ...row, login: pid === undefined ? 'needs a login' : `stands (pid ${pid})`, ...optional('pid', pid) };
  } catch (thrown) {
    return { ...row, login: asError(thrown).message };
  }
}

export async function logInTo(loaded: LoadedConfig, name: string): Promise<void> {
  const cluster = find(loaded, name);
  await cluster.logIn({ input: process.stdin, output: process.stdout });
  screen().note(`Cluster "${name}": the login to ${cluster.address} stands; what waits for it goes on by itself`);
}

export async function logOutOf(loaded: LoadedConfig, name: string): Promise<void> {
  const ended = await find(loaded, name).logOut();
  screen().note(`Cluster "${name}": ${ended ? 'logged out' : 'nobody was logged in'}`);
}

/** Never from an argument: those are seen by everybody on the machine. */
export async function addKey(loaded: LoadedConfig, name: string, user: string, file: string | undefined) {
  const cluster = find(loaded, name);
  const { type, fingerprint } = await cluster.addKey(user, file === undefined ? await askForKey() : readKey(file));
  screen().note(`Cluster "${name}": key of user "${user}" kept, ${type} ${fingerprint}`);
}

async function askForKey(): Promise<string> {
  if (process.stdin.isTTY) screen().note('Paste the private key, then a line with Ctrl-D:');
  return await text(process.stdin);
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new InvalidError('request.invalid', `File "${file}" cannot be read: ${asError(thrown).message}`);
  }
}

export async function removeKey(loaded: LoadedConfig, name: string, user: string): Promise<void> {
  if (!(await find(loaded, name).removeKey(user))) {
    throw new NotFoundError('host.no_key', `Cluster "${name}" keeps no key of user "${user}"`);
  }
  screen().note(`Cluster "${name}": key of user "${user}" removed`);
}

/** @returns whether all of them open. */
export async function showKeys(loaded: LoadedConfig, name: string, flags: ClusterFlags): Promise<boolean> {
  const keys = await find(loaded, name).listKeys();
  await show(
    [
      { title: 'USER', text: ({ user }) => user },
      { title: 'SINCE', text: ({ since }) => renderTime(since) },
      { title: 'TYPE', text: ({ type = '-' }) => type },
      { title: 'FINGERPRINT', text: ({ fingerprint, trouble }) => trouble ?? fingerprint ?? '-' },
    ],
    keys,
    flags,
  );
  return keys.every(({ trouble }) => trouble === undefined);
}

export async function showSudoers(loaded: LoadedConfig, name: string, group: string): Promise<void> {
  await screen().write(`${find(loaded, name).sudoers(group)}\n`);
}
