/** Puts the agent and the `node` that runs it on a host: once per version, under names made of their content. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { NotFoundError } from '../../src/errors.ts';
import type { Host } from './host.ts';

export interface AgentFiles {
  /** The program `node` of this machine; needs glibc 2.28 there. */
  readonly node: string;
  /** The agent, bundled to one file. */
  readonly script: string;
}

/** What starts the agent there. It is the one program that `sudo` lets the service account run as others. */
export interface InstalledAgent {
  readonly wrapper: string;
  readonly version: string;
}

const hashes = new Map<string, Promise<string>>();

/** Checked by hash before it is used, whoever could have changed it. Others may read and run it, and not write. */
export async function installAgent(host: Host, directory: string, files: AgentFiles): Promise<InstalledAgent> {
  await host.makeDirectory(directory, 0o755);
  const node = await ensureFile(host, directory, 'node', files.node, 0o755);
  const script = await ensureFile(host, directory, 'agent', files.script, 0o644);
  const wrapper = `${directory}/abaco-agent`;
  const text = `#!/bin/sh\nexec ${node} ${script} --stdio\n`;
  if ((await readText(host, wrapper)) !== text) await host.put(wrapper, Buffer.from(text), { mode: 0o755 });
  return { wrapper, version: await hashOf(files.script) };
}

async function ensureFile(host: Host, directory: string, name: string, local: string, mode: number): Promise<string> {
  const wanted = await hashOf(local);
  const path = `${directory}/${name}-${wanted.slice(0, 16)}`;
  const there = await host.hash(path).catch((thrown: unknown) => {
    if (thrown instanceof NotFoundError) return undefined;
    throw thrown;
  });
  if (there !== wanted) await host.put(path, createReadStream(local, { highWaterMark: 1024 * 1024 }), { mode });
  return path;
}

/** Of a file of ours, which does not change while we run. */
async function hashOf(path: string): Promise<string> {
  const known = hashes.get(path);
  if (known) return await known;
  const sha256 = createHash('sha256');
  const hashing = pipeline(createReadStream(path), sha256).then(() => sha256.digest('hex'));
  hashes.set(path, hashing);
  return await hashing;
}

async function readText(host: Host, path: string): Promise<string | undefined> {
  const [part] = await host.readMany([{ path, offset: 0, length: 10_000 }]);
  return part && Buffer.from(part.bytes).toString();
}
